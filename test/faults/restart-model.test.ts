/**
 * A partition that is written to in and out of order, checkpointed, freed and killed at random: after each start it holds
 * exactly what it held before, bin by bin.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextStep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { line, metrics, samples, T0 } from '../support/core-driver.js';
import { differences } from '../support/differences.js';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { type Opened, openPartition, writeLines } from './partitions.js';

const RUNS = process.env.CCMS_LONG === '1' ? 300 : 12;
const METRICS = metrics(['m', 10], ['n', 60]);

/** Holds what is there, but for what was to be freed: whole blocks go, and where they end a start may see otherwise. */
function held({ core }: Opened, freedTo: ReadonlyMap<string, number>): Map<string, number> {
  const all = samples(core);
  for (const key of all.keys()) {
    const [, host = '', time] = key.split(' ');
    if (Number(time) < (freedTo.get(host) ?? 0) + 60) all.delete(key);
  }
  return all;
}

it(`in ${RUNS} lives of a partition`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const next = seeded(seed);
    const below = (n: number): number => Math.floor(next() * n);
    const root = join(temporaryDirectory(), 'files');
    mkdirSync(root);
    let opened = await openPartition(root, METRICS);
    const freedTo = new Map<string, number>();
    const history: string[] = [];
    let now = T0;
    for (let step = 0; step < 120; step++) {
      const dice = next();
      if (dice < 0.62) {
        const lines: string[] = [];
        for (let i = below(60); i >= 0; i--) {
          now += below(25);
          // Late ones, and some that leave a gap; none exactly where a bin begins.
          const late = next();
          const time = late < 0.1 ? now - below(20_000) : late < 0.3 ? now - below(200) : now;
          lines.push(line(next() < 0.7 ? 'm' : 'n', `h${below(3)}`, time, next() < 0.5 ? below(100) : next()));
        }
        if (next() < 0.1) now += below(30_000);
        writeLines(opened, lines.join(''));
        history.push(`write ${lines.length}`);
      } else if (dice < 0.8) {
        const made = opened.partition.checkpoint('interval');
        // What comes now is in the new segment of the log, and in the file or not.
        for (let steps = below(4); steps; steps--) await nextStep();
        if (next() < 0.8) writeLines(opened, line('m', 'h0', now - below(5000), next()));
        await made;
        history.push('checkpoint');
      } else if (dice < 0.84) {
        const host = `h${below(3)}`;
        const to = now - below(10_000);
        opened.partition.free(to, [['c', host]]);
        freedTo.set(host, Math.max(freedTo.get(host) ?? 0, to));
        history.push(`free ${host} ${to}`);
      } else {
        const before = held(opened, freedTo);
        // Dies: whatever is not in its files is gone.
        opened = await openPartition(root, METRICS);
        const after = held(opened, freedTo);
        history.push('start');
        const what = `seed ${seed}, step ${step}: ${history.slice(-12).join(', ')}`;
        expect(differences(after, before), what).toEqual([]);
      }
    }
    opened.partition.close();
  }
});
