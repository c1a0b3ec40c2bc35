/** What a start makes of what the last one left, with the same configuration and with another one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask, query, write } from '../support/client.js';
import { checkpoint, line, metrics, newCore, restart, samples, store, T0, takeLog } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/directories.js';
import { Gate } from '../support/gate.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { Ledger, Source } from './ledger.js';

const NOW = Math.floor(Date.now() / 1000);
/** A whole minute, an hour ago. */
const HOUR_AGO = NOW - (NOW % 60) - 3600;

function config(configured: Record<string, object>, more: object = {}): object {
  return {
    metrics: configured,
    'metric-store': { 'retention-in-memory': '24h', 'memory-cap': 2, 'num-workers': 1, ...more },
  };
}

const M = { m: { frequency: 60, aggregation: null } };

/** Lines of a metric every minute from HOUR_AGO on, with values from `first` on. */
function minutes(metric: string, count: number, first: number, host = 'h'): string {
  return Array.from({ length: count }, (_, k) => line(metric, host, HOUR_AGO + 60 * k, first + k)).join('');
}

async function put(server: ServerProcess, text: string): Promise<void> {
  const answer = await write(server.port, text);
  expect([answer.status, answer.body]).toEqual([200, '']);
}

/** The bins of a metric of host h from HOUR_AGO on; undefined: there is no such series. */
async function bins(server: ServerProcess, metric: string): Promise<(number | null)[] | undefined> {
  const request = { cluster: 'c', from: HOUR_AGO, to: HOUR_AGO + 3600, queries: [{ metric, host: 'h' }] };
  return (await query(server.port, request)).results[0]?.[0]?.data;
}

describe('a start', () => {
  it.each(['always', 'interval', 'off'])('after a kill brings all back with wal-sync %s', async (walSync) => {
    const server = await startServer(config(M, { 'wal-sync': walSync }));
    await put(server, minutes('m', 30, 1));
    const next = await server.restart('SIGKILL');
    expect(await bins(next, 'm')).toEqual(Array.from({ length: 30 }, (_, k) => k + 1));
    await next.stop('SIGKILL');
  });

  it('is not healthy until all is loaded, takes writes, and says how far it is', async () => {
    const first = await startServer(config(M));
    await put(first, minutes('m', 3, 1));
    // Each start adds a log segment.
    let server = first;
    for (let i = 0; i < 3; i++) {
      server = await server.restart('SIGKILL');
      await put(server, minutes('m', 3, i));
    }
    await server.stop('SIGKILL');
    const gate = new Gate(first.dir);
    let port = 0;
    const starting = startServer(
      (given) => {
        port = given;
        return { ...config(M), main: { addr: `127.0.0.1:${given}` } };
      },
      { dir: first.dir, env: gate.env },
    );
    const health = (): Promise<number | undefined> =>
      ask(port, '/healthz').then(
        ({ status }) => status,
        () => undefined,
      );
    await until(
      async () => (await health()) === 503,
      () => 'the server to answer while it loads',
    );
    for (let i = 0; i < 5; i++) {
      expect((await ask(port, '/api/write', { body: minutes('m', 1, 1) })).status).toBe(200);
      expect(await health()).toBe(503);
    }
    // Progress is logged every five seconds.
    await sleep(5200);
    gate.open();
    server = await starting;
    expect(await health()).toBe(200);
    expect(server.log()).toMatch(/\[INFO\] .*partition-0-of-1: .* read/);
    await server.stop('SIGKILL');
  });

  it('loads only what is inside the retention', async () => {
    const first = await startServer(config(M));
    await put(first, minutes('m', 50, 1) + line('m', 'old', NOW - 80_000, 1));
    const second = await first.restart();
    await put(second, line('m', 'older', NOW - 70_000, 1));
    await second.stop('SIGKILL');
    const shorter = config(M, { 'retention-in-memory': '2h' });
    const server = await startServer(shorter, { dir: first.dir });
    expect(await bins(server, 'm')).toHaveLength(50);
    const { body } = await ask(server.port, '/api/debug');
    expect(body).not.toMatch(/old/);
    await server.stop('SIGKILL');
  });

  it('keeps freed what was freed, however often it is killed and stopped', async () => {
    const first = await startServer(config(M));
    await put(first, minutes('m', 30, 1) + minutes('m', 5, 1, 'stays'));
    const second = await first.restart();
    const free = await ask(second.port, `/api/free?to=${NOW}`, { body: '[["c", "h"]]' });
    expect(free.body).toContain('buffers freed: 1');
    let server = await second.restart('SIGKILL');
    expect(await bins(server, 'm')).toBeUndefined();
    server = await server.restart('SIGTERM');
    expect(await bins(server, 'm')).toBeUndefined();
    server = await server.restart('SIGKILL');
    expect(await bins(server, 'm')).toBeUndefined();
    // And what comes after it stays.
    await put(server, minutes('m', 2, 7));
    server = await server.restart('SIGKILL');
    expect(await bins(server, 'm')).toEqual([7, 8]);
    await server.stop('SIGKILL');
  });

  it('takes other numbers of partitions and workers, back and forth', async () => {
    const ledger = new Ledger();
    const source = new Source(['a', 'b', 'c', 'd', 'e'], ['m0', 'm1'], NOW - 80_000, seeded(9));
    const both = Object.fromEntries(['m0', 'm1'].map((name) => [name, { frequency: 10, aggregation: null }]));
    const dir = temporaryDirectory();
    for (const [workers, cap] of [
      [1, 2],
      [2, 8],
      [3, 2],
      [0, 20],
      [2, 8],
      [1, 2],
    ] as const) {
      const server = await startServer(config(both, { 'num-workers': workers, 'memory-cap': cap }), { dir });
      for (let round = 0; round < 2; round++) {
        const { lost, changed } = await ledger.compare(server.port, { settle: round === 0 });
        expect({ lost, changed }, server.log()).toEqual({ lost: [], changed: [] });
        expect(await ledger.write(server.port, source.next(20))).toBe(200);
      }
      expect(server.log()).not.toMatch(/ERR|CRIT/);
      await server.stop(cap === 8 ? 'SIGTERM' : 'SIGKILL');
    }
  });
});

describe('a start with other metrics', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)('after %s', async (signal) => {
    const dir = temporaryDirectory();
    const start = (configured: Record<string, object>): Promise<ServerProcess> =>
      startServer(config(configured), { dir });
    let server = await start({ ...M, gone: { frequency: 60, aggregation: null } });
    await put(server, minutes('m', 20, 1) + minutes('gone', 20, 1) + minutes('gone', 3, 1, 'other'));
    await server.stop(signal);

    // Twice as often, added up now; and one that is not there any more, nor the host that had nothing else.
    server = await start({ m: { frequency: 30, aggregation: 'sum' }, fresh: { frequency: 10, aggregation: 'avg' } });
    expect(await bins(server, 'm')).toEqual(Array.from({ length: 39 }, (_, k) => (k % 2 ? null : 1 + k / 2)));
    expect((await ask(server.port, '/api/debug')).body).not.toMatch(/gone|other/);
    await put(server, line('m', 'h', HOUR_AGO + 30, 99) + minutes('fresh', 1, 5));
    const expected = [1, 99, 2, null, 3];
    expect((await bins(server, 'm'))?.slice(0, 5)).toEqual(expected);
    await server.stop(signal);
    server = await start({ m: { frequency: 30, aggregation: null }, fresh: { frequency: 10, aggregation: 'avg' } });
    expect((await bins(server, 'm'))?.slice(0, 5)).toEqual(expected);
    await server.stop(signal);

    // Half as often: of two samples in a bin the later one counts.
    server = await start({ m: { frequency: 60, aggregation: null } });
    const coarse = await bins(server, 'm');
    expect(coarse).toHaveLength(20);
    expect(coarse?.slice(2)).toEqual(Array.from({ length: 18 }, (_, k) => k + 3));
    for (const bin of coarse?.slice(0, 2) ?? []) expect([1, 2, 99]).toContain(bin);
    expect(server.log()).not.toMatch(/ERR|CRIT/);
    await server.stop('SIGKILL');
  });
});

describe('loading', () => {
  it('takes hardly more memory than what is loaded', () => {
    const config = metrics(['m', 10]);
    const core = restart(newCore(config), []);
    const next = seeded(3);
    const files: Uint8Array[] = [];
    const segments: Uint8Array[] = [];
    for (let at = 0; at < 3000; at += 100) {
      const lines: string[] = [];
      for (let k = at; k < at + 100; k++) {
        for (let h = 0; h < 300; h++) lines.push(line('m', `h${h}`, T0 + 10 * k, Math.floor(next() * 65536)));
      }
      store(core, lines.join(''));
      if (at === 1500 || at === 2000) {
        files.push(checkpoint(core, false));
        core.writes.logStartSegment();
        segments.length = 0;
        takeLog(core);
      } else segments.push(takeLog(core));
    }
    const before = core.figures.memory;
    const loaded = restart(newCore(config), files, [Buffer.concat(segments)]);
    const { memory, linearMemory } = loaded.figures;
    expect(samples(loaded)).toEqual(samples(core));
    const data = memory.total - memory.scratch;
    expect(data / (before.total - before.scratch)).toBeLessThan(1.1);
    expect(linearMemory - data).toBeLessThan((4 << 20) + data / 8);
  });
});
