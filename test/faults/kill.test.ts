/**
 * The real server, killed at random under load: nothing that was acknowledged may be lost or changed.
 * CCMS_LONG=1: more kills.
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { Ledger, Source } from './ledger.js';

const LONG = process.env.CCMS_LONG === '1';
const WRITERS = 4;
const METRICS = ['m0', 'm1', 'm2'];

function config(workers: number, cap: number, format: 'wal' | 'json' = 'wal'): object {
  return {
    metrics: Object.fromEntries(METRICS.map((name) => [name, { frequency: 10, aggregation: null }])),
    'metric-store': {
      'retention-in-memory': '720h',
      'memory-cap': cap,
      'num-workers': workers,
      'checkpoint-interval': '1s',
      checkpoints: { directory: './checkpoints', 'max-wal-size': 100_000, 'file-format': format },
    },
  };
}

class Load {
  readonly ledger = new Ledger();
  readonly random: () => number;
  readonly #sources: Source[];
  refused = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
    const from = Math.floor(Date.now() / 1000) - 20 * 86_400;
    this.#sources = Array.from({ length: WRITERS }, (_, w) => {
      const hosts = Array.from({ length: 4 }, (_, h) => `w${w}h${h}`);
      return new Source(hosts, METRICS, from, seeded(seed * 100 + w));
    });
  }

  /** Writes over one connection a writer until the server is gone. */
  async run(port: number): Promise<void> {
    await Promise.all(
      this.#sources.map(async (source) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (let status = 200; status !== 0; ) {
          status = await this.ledger.write(port, source.next(5), agent);
          if (status !== 200) this.refused++;
          await sleep(this.random() * 20);
        }
        agent.destroy();
      }),
    );
  }

  async check(server: ServerProcess, what: string): Promise<number> {
    const { lost, changed, compared } = await this.ledger.compare(server.port, { settle: true });
    expect({ lost: lost.slice(0, 5), changed: changed.slice(0, 5) }, `${what}\n${server.log()}`).toEqual({
      lost: [],
      changed: [],
    });
    return compared;
  }
}

/** Kills the server `kills` times, and says what happened in between. */
async function siege(seed: number, kills: number, configs: object[], signals: NodeJS.Signals[]): Promise<Load> {
  const load = new Load(seed);
  const { random } = load;
  let server = await startServer(configs[0] ?? {});
  let compared = 0;
  for (let k = 1; k <= kills; k++) {
    const running = load.run(server.port);
    await sleep(100 + random() * 1500);
    const signal = signals[Math.floor(random() * signals.length)] ?? 'SIGKILL';
    await server.stop(signal);
    await running;
    server = await startServer(configs[k % configs.length] ?? {}, { dir: server.dir });
    compared += await load.check(server, `after ${k} ends, the last by ${signal}`);
  }
  await server.stop('SIGKILL');
  expect(compared).toBeGreaterThan(kills * 1000);
  return load;
}

describe('acknowledged samples survive', () => {
  it('SIGKILL under load, 3 partitions in 2 workers', async () => {
    await siege(1, LONG ? 60 : 4, [config(2, 8)], ['SIGKILL']);
  });

  it('SIGKILL and SIGTERM while partitions and workers change', async () => {
    const configs = [config(1, 8), config(1, 2), config(2, 8), config(0, 4), config(2, 5)];
    await siege(2, LONG ? 50 : 4, configs, ['SIGKILL', 'SIGKILL', 'SIGTERM']);
  });

  it('SIGKILL with JSON checkpoints', async () => {
    await siege(4, LONG ? 20 : 2, [config(2, 8, 'json')], ['SIGKILL', 'SIGKILL', 'SIGTERM']);
  });

  it.skipIf(!LONG)('SIGKILL with 1 partition in 1 worker', async () => {
    await siege(3, 40, [config(1, 2)], ['SIGKILL']);
  });
});
