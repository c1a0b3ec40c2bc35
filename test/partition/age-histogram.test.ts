import { describe, expect, it } from 'vitest';
import { Ages } from '../../src/partition/age-histogram.js';
import { metric, startCore, store } from '../support/core-driver.js';
import { seeded } from '../support/random.js';

const NOW = 1_700_000_000;
const DAY = 86_400;

/** A core with one sample of a series each at these times: its bin ends a second later. */
function coreWith(times: readonly number[]): ReturnType<typeof startCore> {
  const core = startCore(new Map([['m', metric(1)]]));
  store(core, times.map((time, i) => `m,cluster=c,hostname=h${i} value=1 ${time}\n`).join(''));
  return core;
}

function ages(core: ReturnType<typeof startCore>, now = NOW): { ages: Ages; total: number } {
  core.figures.ageBegin(now);
  let from = 0;
  while (from >= 0) from = core.figures.ageStep(from, 3);
  return { ages: new Ages(now, [core.figures.ages]), total: core.figures.ages.reduce((a, b) => a + b, 0) };
}

describe('bytes by age', () => {
  it('counts every byte of open, sealed and loose blocks', () => {
    const core = startCore(new Map([['m', metric(10)]]));
    const random = seeded(3);
    let text = '';
    for (let i = 0; i < 2000; i++) text += `m,cluster=c,hostname=h${i % 3} value=${random()} ${NOW + 10 * i}\n`;
    for (let i = 0; i < 50; i++) text += `m,cluster=c,hostname=h1 value=${i} ${NOW + 170 * i}\n`;
    store(core, text);
    const { openBlocks, sealedBlocks } = core.figures.memory;
    expect(sealedBlocks).toBeGreaterThan(1000);
    expect(ages(core).total).toBe(openBlocks + sealedBlocks);
  });

  it('frees at least as many bytes as were asked for, and at most 1/128 of the age more', () => {
    const random = seeded(11);
    const times = Array.from({ length: 4000 }, () => NOW - Math.floor(random() * 2 * DAY));
    const wrong = [1, 946_684_800, NOW + 60, NOW + DAY, 2_082_758_400, 4_000_000_000];
    const all = [...times, ...wrong].sort((a, b) => a - b);
    const core = coreWith(all);
    const { ages: held, total } = ages(core);
    const each = total / all.length;
    for (const count of [1, 2, 3, 100, 1777, 3999, 4000, 4002, 4003, 4004, 4005, 4006]) {
      const to = held.timeFor(count * each) ?? Number.NaN;
      const last = (all[count - 1] ?? 0) + 1;
      expect(to).toBeGreaterThanOrEqual(last);
      expect(to - last).toBeLessThanOrEqual(Math.max(1, Math.abs(NOW - last) / 128));
    }
    const to = held.timeFor(1000 * each) ?? 0;
    expect(core.writes.retainStep(0, core.series.end, to).freed).toBe(all.filter((time) => time + 1 <= to).length);
  });

  it('ends with the newest block when all blocks are not enough, and knows when there is none', () => {
    const { ages: held, total } = ages(coreWith([NOW - 100, NOW - 10]));
    expect(held.timeFor(10 * total)).toBe(NOW - 9);
    expect(ages(coreWith([])).ages.timeFor(1)).toBeUndefined();
  });
});
