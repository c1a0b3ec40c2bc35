/** Series that begin together must not seal and merge together: a request would pay for all of its host's. */
import { expect, test } from 'vitest';
import { dumpText, metric, startCore, store, T0 } from '../support/core-driver.js';

const SERIES = 1024;
const FREQUENCY = 60;
/** Bins of a full open block. */
const OPEN_BINS = 128;

interface Span {
  len: number;
}

/** Lengths of each series' blocks, oldest first, the open one last (it may be empty). */
function blocksAfter(steps: number): number[][] {
  const core = startCore(new Map([['m', metric(FREQUENCY)]]));
  for (let step = 0; step < steps; step++) {
    let text = '';
    for (let i = 0; i < SERIES; i++) {
      text += `m,cluster=c,hostname=h,type=hwthread,type-id=${i} value=${Math.sin(step + i)} ${T0 + step * FREQUENCY}\n`;
    }
    store(core, text);
    core.writes.logTaken();
  }
  const host = JSON.parse(dumpText(core, ['c', 'h'])) as Record<string, { m: Span[] }>;
  return Object.values(host).map(({ m }) => m.map(({ len }) => len));
}

/** How many series have each value. */
function shares(values: number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1 / SERIES);
  return counts;
}

test('sealing and merging are spread over the time between two of them', () => {
  const blocks = blocksAfter(1600);
  const open = shares(blocks.map((lengths) => Math.floor((lengths.at(-1) ?? 0) / 16)));
  for (let eighth = 0; eighth < OPEN_BINS / 16; eighth++) expect(open.get(eighth) ?? 0).toBeGreaterThan(0.06);
  const unmerged = shares(blocks.map((lengths) => lengths.length - lengths.findLastIndex((len) => len > OPEN_BINS)));
  for (const behind of [2, 3, 4, 5]) expect(unmerged.get(behind) ?? 0).toBeGreaterThan(0.1);
});
