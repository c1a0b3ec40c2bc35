/** Cores for fault tests: fed with lines, their log and checkpoint bytes taken, loaded again, and read bin by bin. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricConfig } from '../../src/config/config.js';
import { FrameMagic } from '../../src/wasm/codes.js';
import { Core } from '../../src/wasm/core.js';

/** Unix seconds, a multiple of an hour. */
export const T0 = 1_699_999_200;

const module = new WebAssembly.Module(readFileSync(join(import.meta.dirname, '../../dist/core.wasm')));
const encoder = new TextEncoder();

/** The module that `npm run build` made. */
export function coreModule(): WebAssembly.Module {
  return module;
}

export function metrics(...list: [name: string, frequency: number][]): Map<string, MetricConfig> {
  return new Map(list.map(([name, frequency]) => [name, { frequency, aggregation: null, precision: 'double' }]));
}

/** An empty core that does not log yet. */
export function newCore(config: ReadonlyMap<string, MetricConfig>, index = 0, partitions = 1): Core {
  return new Core(module, config, index, partitions);
}

/** A line of a node's own series in cluster `c`. */
export function line(metric: string, host: string, time: number, value: number): string {
  return `${metric},cluster=c,hostname=${host},type=node value=${value} ${time}\n`;
}

/** Stores lines. @throws when one of them is refused. */
export function ingest(core: Core, text: string): void {
  const batch = core.writes.ingest(encoder.encode(text), '', 1, 0);
  if (batch.refused) throw new Error(`refused: ${JSON.stringify(batch.refusals)}`);
}

/** The log bytes gathered since the last call. */
export function takeLog(core: Core): Uint8Array {
  const bytes = core.writes.logged().slice();
  core.writes.logTaken();
  return bytes;
}

/** The bytes of a checkpoint file. */
export function checkpoint(core: Core, full: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  core.files.checkpointBegin();
  for (let cursor = 0; cursor >= 0; ) {
    const { bytes, next } = core.files.checkpointStep(cursor, 1 << 16, full);
    parts.push(bytes.slice());
    cursor = next;
  }
  return Buffer.concat(parts);
}

/** Runs `onFrame` over the whole frames in a file's bytes. @returns the stretches that are none. */
export function scan(
  core: Core,
  magic: number,
  bytes: Uint8Array,
  onFrame: (payload: number, length: number) => void,
): [offset: number, length: number][] {
  const gaps: [number, number][] = [];
  core.files.scanFrames(
    magic,
    4096,
    (into, offset) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    onFrame,
    (offset, length) => gaps.push([offset, length]),
    bytes.length,
  );
  return gaps;
}

/** Loads checkpoint files, oldest first, then log segments, and ends loading. */
export function load(core: Core, files: Uint8Array[], segments: Uint8Array[] = [], since = 0): Core {
  for (const file of files)
    scan(core, FrameMagic.Checkpoint, file, (p, n) => core.files.checkpointLoad(p, n, since, false));
  core.files.checkpointLoadEnd();
  for (const segment of segments) {
    core.files.replayBegin();
    scan(core, FrameMagic.Log, segment, (p, n) => core.files.replayFrame(p, n, since));
  }
  core.files.loadEnd();
  core.writes.logStartSegment();
  return core;
}

/** All samples: `metric host/level.. middle of the bin` → value. */
export function samples(core: Core): Map<string, number> {
  const all = new Map<string, number>();
  for (let number = 0; number < core.series.end; number++) {
    const series = core.series.exportRun(number, 0, Number.MAX_SAFE_INTEGER);
    if (!series) continue;
    const name = `${series.metric} ${series.levels.slice(1).join('/')}`;
    for (const [i, value] of series.values.entries()) {
      if (!Number.isNaN(value)) all.set(`${name} ${series.start + i * series.frequency}`, value);
    }
  }
  return all;
}

/** What distinguishes two lists of samples, the first few differences; empty: nothing. Faster than a deep comparison. */
export function differences(got: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): string[] {
  const found: string[] = [];
  for (const key of new Set([...got.keys(), ...expected.keys()])) {
    if (Object.is(got.get(key), expected.get(key))) continue;
    found.push(`${key}: ${got.get(key)} instead of ${expected.get(key)}`);
    if (found.length === 5) break;
  }
  return found;
}
