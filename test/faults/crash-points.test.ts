/**
 * The real server, killed at every single call that changes or syncs a file: while it starts, writes, makes checkpoints
 * and stops. CCMS_LONG=1: all calls; else one in several.
 */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { Ledger, Source } from './ledger.js';

const LONG = process.env.CCMS_LONG === '1';
const PRELOAD = join(import.meta.dirname, 'crash-point.mjs');
const METRICS = ['m0', 'm1'];

function config(cap: number): object {
  return {
    metrics: Object.fromEntries(METRICS.map((name) => [name, { frequency: 10, aggregation: null }])),
    'metric-store': {
      'retention-in-memory': '720h',
      'memory-cap': cap,
      'num-workers': 1,
      'wal-sync': 'always',
      checkpoints: { directory: './checkpoints' },
    },
  };
}

class Scene {
  readonly dir = temporaryDirectory();
  readonly ledger = new Ledger();
  readonly #source: Source;
  readonly #trace = join(this.dir, 'trace');

  constructor(seed: number) {
    this.#source = new Source(['a', 'b', 'c', 'd'], METRICS, Math.floor(Date.now() / 1000) - 86_400, seeded(seed));
  }

  /** Starts, writes and stops a server that dies at its n-th call. @returns the calls it made, or undefined: it died. */
  async act(cap: number, n: number, half: boolean): Promise<string[] | undefined> {
    writeFileSync(this.#trace, '');
    const env = {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      CRASH_AT: String(n),
      CRASH_HALF: half ? '1' : '0',
      CRASH_TRACE: this.#trace,
    };
    let server: ServerProcess;
    try {
      server = await startServer(config(cap), { dir: this.dir, env });
    } catch (error) {
      // Killed while it started: no word of its own about it.
      expect(String(error)).not.toMatch(/CRIT|BUG/);
      return undefined;
    }
    for (let i = 0; i < 3; i++) await this.ledger.write(server.port, this.#source.next(30));
    const status = await server.stop();
    if (status === null) return undefined;
    expect(status, server.log()).toBe(0);
    return readFileSync(this.#trace, 'utf8').trim().split('\n');
  }

  /** Starts a server and compares. @param reports what its log may say about files. */
  async check(cap: number, what: string, reports?: RegExp): Promise<void> {
    const server = await startServer(config(cap), { dir: this.dir });
    const { lost, changed } = await this.ledger.compare(server.port, { settle: true });
    expect({ lost: lost.slice(0, 5), changed: changed.slice(0, 5) }, `${what}\n${server.log()}`).toEqual({
      lost: [],
      changed: [],
    });
    for (const report of server.log().split('\n')) {
      if (/ERR|CRIT/.test(report)) expect(report, what).toMatch(reports ?? /nothing/);
    }
    // In order, or segments would gather from life to life and the calls never end.
    expect(await server.stop()).toBe(0);
  }
}

describe('killed at each call', () => {
  it('that a start, writes and a stop make', async () => {
    const scene = new Scene(1);
    const every = LONG ? 1 : 15;
    let calls: string[] | undefined;
    let deaths = 0;
    for (let n = 1; calls === undefined; n += every) {
      calls = await scene.act(2, n, n % 2 === 0);
      await scene.check(2, `killed at call ${n}`);
      if (calls === undefined) deaths++;
    }
    // Death came at all stages.
    expect(deaths * every).toBeGreaterThan(20);
    const made = calls.map((call) => call.split(' ')[1]);
    for (const name of ['openSync', 'writeSync', 'fdatasyncSync', 'fdatasync', 'fsyncSync', 'renameSync', 'rmSync']) {
      expect(made).toContain(name);
    }
  });

  it('while the partitions become fewer and more', async () => {
    const every = LONG ? 3 : 41;
    for (const [from, to] of [
      [8, 2],
      [2, 8],
    ] as const) {
      const scene = new Scene(2);
      let calls: string[] | undefined;
      for (let n = 1; calls === undefined; n += every) {
        await scene.act(from, 0, false);
        calls = await scene.act(to, n, n % 2 === 0);
        // Whoever comes next, the old number or the new one.
        await scene.check(n % 4 < 2 ? from : to, `from ${from} to ${to} GB, killed at call ${n}`);
      }
    }
  });

  it('of a start that finds damage', async () => {
    const scene = new Scene(3);
    const every = LONG ? 1 : 12;
    await scene.act(2, 0, false);
    await scene.act(2, 0, false);
    const files = join(scene.dir, 'checkpoints/partition-0-of-1');
    let calls: string[] | undefined;
    for (let n = 1; calls === undefined; n += every) {
      const name = readdirSync(files).find((entry) => entry.endsWith('.blocks')) ?? '';
      // Behind the last frame: all that was written is still there, and must survive.
      appendFileSync(join(files, name), 'damage');
      calls = await scene.act(2, n, n % 2 === 0);
      await scene.check(2, `killed at call ${n}`, /damaged|set aside|corrupt/);
    }
  });
});
