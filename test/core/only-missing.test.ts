/** What may have been stored before, and be older than what came since, fills bins that are empty and no others. */
import { expect, it } from 'vitest';
import { Core } from '../../src/wasm/core.js';
import { coreModule } from '../support/core-driver.js';

const METRICS = new Map([['m', { frequency: 60, aggregation: 'sum', precision: 'double' } as const]]);
const T0 = 1_700_000_040;
const BINS = 1000;

it('bins that have a sample keep it, in the open block, in sealed ones and in late ones', () => {
  const core = new Core(coreModule(), METRICS, 0, 1);
  const store = (bins: number[], value: (bin: number) => number): number =>
    core.writes.ingest(
      Buffer.from(bins.map((bin) => `m,hostname=h value=${value(bin)} ${T0 + bin * 60}\n`).join('')),
      'c',
      1,
      T0,
    ).stored;
  const even = Array.from({ length: BINS / 2 }, (_, i) => 2 * i);
  const all = Array.from({ length: BINS + 50 }, (_, i) => i);
  store(even, (bin) => bin);
  core.writes.logStartSegment();
  core.writes.onlyMissing(true);
  // Also for the first sample of all, and before it.
  expect(store([-5, ...all], (bin) => -1 - bin)).toBe(BINS + 51);
  core.writes.onlyMissing(false);
  const values = core.series.exportRun(0, T0 - 600, T0 + 2 * BINS * 60)?.values ?? [];
  const expected = [-5, -4, -3, -2, -1, ...all].map((bin) =>
    bin === -5 ? 4 : bin < 0 ? Number.NaN : bin % 2 || bin >= BINS ? -1 - bin : bin,
  );
  expect([...values]).toEqual(expected);
});
