/**
 * Stores and NATS are killed, stopped, cut off and robbed of their disks in an order that a seed decides, while a client writes.
 * Whatever was acknowledged is answered, at once by a strong read at any store, and in the end by all, alike.
 *
 * It takes 60 s by the clock, as many faults as come in that time. CCMS_LONG takes ten minutes, CCMS_SECONDS as long as it says;
 * CCMS_SEED another order.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { seeded } from '../support/random.js';
import { until } from '../support/wait.js';
import { TestCluster, valuesOf } from './cluster-driver.js';

const TIME = Math.floor(Date.now() / 60_000) * 60 - 90_000;
const HOSTS = Array.from({ length: 16 }, (_, i) => `h${i}`);
const IDS = ['a', 'b', 'c'] as const;
const SECONDS = Number(process.env.CCMS_SECONDS ?? (process.env.CCMS_LONG ? 600 : 60));
/** From then on only bins are written that are there: a day's. */
const MOST_BINS = 1440;
const seed = Number(process.env.CCMS_SEED ?? 1);

let cluster: TestCluster;

beforeEach(async () => {
  cluster = new TestCluster({ partitions: 6, replicas: 2, proxies: true });
  await cluster.startNats();
});
afterEach(() => cluster.stop());

/** Writes bins of all hosts, each with a value of its own, and some of them again once they are acknowledged. */
class Writer {
  /** Last acknowledged value, by host and bin. */
  readonly acknowledged: (number | null)[][] = HOSTS.map(() => []);
  /** Bins all of whose writes were acknowledged at once: what failed may be applied later. */
  readonly #clean: number[] = [];
  readonly #random: () => number;
  bins = 0;
  /** Acknowledged. */
  writes = 0;
  #value = 0;
  #ended = false;
  #running: Promise<void> = Promise.resolve();

  constructor(random: () => number) {
    this.#random = random;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const again = this.#clean.length && (this.bins >= MOST_BINS || this.#random() < 0.3);
      const bin = again ? (this.#clean[Math.floor(this.#random() * this.#clean.length)] as number) : this.bins++;
      const values = HOSTS.map(() => ++this.#value);
      const lines = HOSTS.map((host, i) => `m,hostname=${host} value=${values[i]} ${TIME + bin * 60}\n`).join('');
      let tries = 0;
      do tries++;
      while (!(await this.#post(lines)));
      this.writes++;
      for (const [i, row] of this.acknowledged.entries()) row[bin] = values[i] as number;
      if (again && tries > 1) this.#clean.splice(this.#clean.indexOf(bin), 1);
      else if (!again && tries === 1) this.#clean.push(bin);
      await sleep(5);
    }
  }

  /** @returns whether a store has acknowledged them. */
  async #post(lines: string): Promise<boolean> {
    const id = IDS[Math.floor(this.#random() * IDS.length)] as string;
    const answer = await Promise.race([
      ask(cluster.of(id).port, '/api/write?cluster=c', { method: 'POST', body: lines }).catch(() => undefined),
      sleep(15_000, undefined, { ref: false }),
    ]);
    if (answer?.status === 200) return true;
    if (answer && answer.status !== 503) throw new Error(`${answer.status} ${answer.body}`);
    await sleep(20);
    return false;
  }
}

/** All that was acknowledged until now is answered by a store; waits until it answers at all. */
async function check(id: string, { acknowledged, bins }: Writer): Promise<void> {
  const before = acknowledged.map((row) => row.slice());
  await until(
    async () => {
      const answer = await valuesOf(cluster.of(id).port, HOSTS, TIME, bins, 'strong').catch(() => undefined);
      if (!answer) return false;
      const lacking = before.flatMap((row, i) =>
        row.flatMap((value, bin) => {
          const found = answer[i]?.[bin] ?? null;
          // Bins that were written again meanwhile hold the newer value.
          return value === undefined ||
            found === value ||
            found === acknowledged[i]?.[bin] ||
            (found ?? 0) > (value ?? 0)
            ? []
            : [`${HOSTS[i]} ${bin}: ${found}, expected ${value}`];
        }),
      );
      expect(lacking.slice(0, 5), `${lacking.length} values at store ${id}\n${cluster.logs()}`).toEqual([]);
      return true;
    },
    () => `store ${id} to answer\n${cluster.logs()}`,
  );
}

it(`loses nothing in ${SECONDS} s of faults, seed ${seed}`, async () => {
  const random = seeded(seed);
  const pick = (): (typeof IDS)[number] => IDS[Math.floor(random() * IDS.length)] ?? 'a';
  await Promise.all(IDS.map((id) => cluster.start(id)));
  await cluster.isWhole('a');
  const writer = new Writer(seeded(seed + 1));
  writer.start();
  const faults: [string, () => Promise<void>][] = [
    ['kill', async () => void (await cluster.restart(pick(), 'SIGKILL'))],
    ['stop', async () => void (await cluster.restart(pick(), 'SIGTERM'))],
    [
      'freeze',
      async () => {
        const { pid } = cluster.of(pick());
        process.kill(pid, 'SIGSTOP');
        await sleep(300 + random() * 1500);
        process.kill(pid, 'SIGCONT');
      },
    ],
    [
      'NATS',
      async () => {
        await cluster.nats.stop();
        await sleep(random() * 500);
        await cluster.startNats();
      },
    ],
    [
      'cut from NATS',
      async () => {
        const proxy = cluster.natsProxy(pick());
        proxy.cut();
        await sleep(300 + random() * 2000);
        proxy.mend();
      },
    ],
    [
      'cut from each other',
      async () => {
        const proxy = cluster.peerProxy(pick());
        proxy.cut();
        await sleep(300 + random() * 2000);
        proxy.mend();
      },
    ],
    [
      'disk',
      async () => {
        const id = pick();
        // With two copies one disk may be lost at a time.
        await cluster.isWhole(id);
        await cluster.of(id).stop('SIGKILL');
        rmSync(join(cluster.of(id).dir, 'checkpoints'), { recursive: true });
        await cluster.restart(id, 'SIGKILL');
        await cluster.isWhole(id);
      },
    ],
  ];
  const done: string[] = [];
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
    const [name, act] = faults[Math.floor(random() * faults.length)] ?? ['', async () => {}];
    done.push(name);
    await act();
    await check(pick(), writer);
  }
  await writer.stop();
  await cluster.isWhole('b');
  for (const id of IDS) await check(id, writer);
  const all = await Promise.all(IDS.map((id) => valuesOf(cluster.of(id).port, HOSTS, TIME, writer.bins, 'strong')));
  expect(all[1]).toEqual(all[0]);
  expect(all[2]).toEqual(all[0]);
  // Copies and logs hold it, not only memory.
  await Promise.all(IDS.map((id) => cluster.of(id).stop('SIGKILL')));
  await Promise.all(IDS.map((id) => cluster.restart(id, 'SIGKILL')));
  await cluster.isWhole('c');
  for (const id of IDS) {
    expect(await valuesOf(cluster.of(id).port, HOSTS, TIME, writer.bins, 'strong'), `${id} after ${done}`).toEqual(
      all[0],
    );
  }
  expect(writer.bins).toBeGreaterThan(done.length);
  console.log(`${done.length} faults, ${writer.writes} writes acknowledged`);
});
