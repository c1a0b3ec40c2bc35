import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/wasm/core.js';
import { encodeRequest } from '../../src/wasm/request.js';
import { CheckpointContent } from '../../src/wasm/tables/codes.js';
import { smallCore } from '../support/small-core.js';

const METRICS = new Map([['load', { frequency: 1, aggregation: 'sum', precision: 'double' } as const]]);
const T0 = 1_700_000_000;

/** A core of 8 MiB that took samples until it could take no more. */
function fullCore(): Core {
  const core = new Core(new WebAssembly.Module(readFileSync(smallCore(128))), METRICS, 0, 1);
  for (let batch = 0; ; batch++) {
    const lines = Array.from(
      { length: 500 },
      (_, i) =>
        `load,cluster=c,hostname=h,type=hwthread,type-id=${i} value=${Math.sqrt(batch * 500 + i)} ${T0 + batch}`,
    );
    if (core.writes.ingest(Buffer.from(lines.join('\n')), '', 1, T0).outOfMemory) return core;
  }
}

describe('a core that samples have filled', () => {
  const core = fullCore();

  it('still answers queries', () => {
    const request = {
      cluster: 'c',
      from: T0,
      to: T0 + 1e6,
      queries: [],
      withStats: true,
      withData: true,
      withPadding: true,
    };
    const query = {
      metric: 'load',
      host: 'h',
      typeIds: [],
      subtypeIds: [],
      aggregate: false,
      resolution: 0,
      scaleBy: 0,
    };
    const state = core.reads.queryBegin(encodeRequest(request, [query]));
    const { bytes, done } = core.reads.queryStep(state, 1 << 20);
    const text = Buffer.from(bytes).toString();
    core.reads.queryEnd(state);
    expect(done).toBe(true);
    const [[entry]] = JSON.parse(`[${text.slice(1)}]`);
    expect(entry.data.length).toBeGreaterThan(100);
    // It would take the memory that is there for the next query.
    expect(core.figures.memory.rollups).toBe(0);
  });

  it('still writes its checkpoint', () => {
    core.files.checkpointBegin();
    let written = 0;
    for (let cursor = 0; cursor >= 0; ) {
      const { bytes, next } = core.files.checkpointStep(cursor, 64 << 10, CheckpointContent.Full);
      written += bytes.length;
      cursor = next;
    }
    expect(written).toBeGreaterThan(1 << 20);
  });
});
