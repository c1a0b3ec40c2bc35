import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportReference } from '../../src/export/export-reference.js';
import type { SeriesRun } from '../../src/persistence/reference/types.js';
import { DATA, inputSamples, Scratch } from './reference-data.js';

interface Served {
  files: Record<string, string>;
  answers: {
    query: { from: number; queries: { metric: string; host: string; type?: string; 'type-ids'?: string[] }[] };
    bin: { results: Entry[][] };
    json: { results: Entry[][] };
  }[];
}

interface Entry {
  data: (number | null)[];
  from: number;
  resolution: number;
}

const served = JSON.parse(gunzipSync(readFileSync(join(DATA, 'served.json.gz'))).toString('utf8')) as Served;

/** The series that the recorded files were written from. */
const series = new Map<string, SeriesRun>();
for (const [name, samples] of inputSamples()) {
  const parts = name.split('/');
  const start = samples.keys().next().value as number;
  const values = new Float64Array(700).fill(Number.NaN);
  for (const [time, value] of samples) values[(time - start) / 60] = value;
  const host = parts[0] as string;
  const metric = parts.at(-1) as string;
  series.set(name, { cluster: 'disk', host, levels: parts.slice(1, -1), metric, frequency: 60, start, values });
}
for (const host of ['d01', 'd02']) {
  const values = Float64Array.of(1e21, -0, 5e-7, 0.1, 123456789012345680, -1.5, 1e-40);
  const awkward = { cluster: 'disk', host, levels: ['hwthread9'], metric: 'flops_any', frequency: 60 };
  series.set(`${host}/hwthread9/flops_any`, { ...awkward, start: 1700000000, values });
}

describe.each(['bin', 'json'] as const)('what the reference serves from exported .%s files', (format) => {
  const scratch = new Scratch();

  beforeAll(async () => {
    const runs = [...series.values()].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
    const range = { from: 1699999980, to: 1700042000, windowSeconds: 15_000 };
    await exportReference(
      (async function* () {
        yield* runs;
      })(),
      { ...range, directory: join(scratch.path, format), format },
    );
  });

  it('was recorded on exactly the files that are written now', () => {
    const hashes = new Map<string, string>();
    for (const host of readdirSync(join(scratch.path, format, 'disk'))) {
      for (const file of readdirSync(join(scratch.path, format, 'disk', host))) {
        const path = join(format, 'disk', host, file);
        hashes.set(
          path,
          createHash('sha256')
            .update(readFileSync(join(scratch.path, path)))
            .digest('hex'),
        );
      }
    }
    const recorded = Object.entries(served.files).filter(([path]) => path.startsWith(`${format}/`));
    expect(hashes).toEqual(new Map(recorded));
  });

  it('is every sample in its place', () => {
    let compared = 0;
    for (const answer of served.answers) {
      answer.query.queries.forEach((query, i) => {
        (query['type-ids'] ?? ['']).forEach((id, k) => {
          const levels = query.type === undefined ? '' : `${query.type}${id}/`;
          const { start, frequency, values } = series.get(`${query.host}/${levels}${query.metric}`) as SeriesRun;
          const entry = answer[format].results[i]?.[k] as Entry;
          const padding = Math.floor((entry.from - answer.query.from) / entry.resolution);
          entry.data.slice(padding).forEach((value, bin) => {
            // The reference takes `start` for the first bin's left edge, see SeriesRun.
            const exact = values[Math.floor((entry.from + bin * entry.resolution - start) / frequency)] ?? Number.NaN;
            if (value === null) {
              expect(exact).toBeNaN();
            } else {
              const held = format === 'bin' ? Math.fround(exact) : exact;
              expect(Math.abs(value - held)).toBeLessThanOrEqual(0.00051 + Math.abs(held) * 1e-15);
              compared++;
            }
          });
        });
      });
    }
    expect(compared).toBeGreaterThan(4000);
  });
});
