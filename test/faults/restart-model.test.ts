/**
 * A partition that is written to in and out of order, checkpointed, freed and killed at random: after each start it holds
 * exactly what it held before, bin by bin.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StoreConfig } from '../../src/config/config.js';
import { logger } from '../../src/log.js';
import { Partition } from '../../src/partition/partition.js';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { differences, line, metrics, newCore, samples, T0 } from './cores.js';

const RUNS = process.env.CCMS_LONG === '1' ? 300 : 12;
const METRICS = metrics(['m', 10], ['n', 60]);

async function start(root: string): Promise<Partition> {
  const store: StoreConfig = {
    retentionSeconds: 86_400,
    memoryCapBytes: 0,
    checkpoints: { fileFormat: 'wal', directory: root },
    checkpointIntervalSeconds: 3600,
    numWorkers: 1,
    cleanup: { mode: 'delete' },
    natsSubscriptions: [],
    walSync: 'off',
    maxBodySize: 1 << 20,
  };
  const partition = new Partition(newCore(METRICS), 0, store, logger('test'));
  await partition.load(0);
  return partition;
}

/** Holds what is there, but for what was to be freed: whole blocks go, and where they end a start may see otherwise. */
function held(partition: Partition, freedTo: ReadonlyMap<string, number>): Map<string, number> {
  const all = samples(partition.core);
  for (const key of all.keys()) {
    const [, host = '', time] = key.split(' ');
    if (Number(time) < (freedTo.get(host) ?? 0) + 60) all.delete(key);
  }
  return all;
}

it(`in ${RUNS} lives of a partition`, { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const next = seeded(seed);
    const below = (n: number): number => Math.floor(next() * n);
    const root = join(temporaryDirectory(), 'files');
    mkdirSync(root);
    let partition = await start(root);
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
        expect(partition.write(Buffer.from(lines.join('')), '', 1, 0).refused).toBe(0);
        expect(partition.flush()).toBeUndefined();
        history.push(`write ${lines.length}`);
      } else if (dice < 0.8) {
        partition.checkpointBegin();
        // Writes that come in between are in the log behind it.
        while (partition.checkpointStep());
        if (next() < 0.8) {
          partition.write(Buffer.from(line('m', 'h0', now - below(5000), next())), '', 1, 0);
          expect(partition.flush()).toBeUndefined();
        }
        await partition.checkpointEnd();
        history.push('checkpoint');
      } else if (dice < 0.84) {
        const host = `h${below(3)}`;
        const to = now - below(10_000);
        partition.openLog();
        partition.touch();
        const node = partition.core.findNode(['c', host]);
        if (node && partition.core.freeNode(node, to)) partition.freedByHand();
        expect(partition.flush()).toBeUndefined();
        freedTo.set(host, Math.max(freedTo.get(host) ?? 0, to));
        history.push(`free ${host} ${to}`);
      } else {
        const before = held(partition, freedTo);
        // Dies: whatever is not in its files is gone.
        partition = await start(root);
        const after = held(partition, freedTo);
        history.push('start');
        const what = `seed ${seed}, step ${step}: ${history.slice(-12).join(', ')}`;
        expect(differences(after, before), what).toEqual([]);
      }
    }
    partition.close();
  }
});
