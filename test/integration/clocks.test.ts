/** Hosts whose clocks are wrong, and a server whose own clock seems to be. */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, figure, query, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const HOUR = 3600;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

let server: ServerProcess;
afterEach(() => server.stop('SIGKILL'));

async function start(more: object = {}): Promise<void> {
  server = await startServer({
    metrics: { load: { frequency: 60, aggregation: null }, fast: { frequency: 1, aggregation: null } },
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 2, checkpoints: {}, ...more },
  });
}

const line = (host: string, time: number): string => `load,cluster=alex,hostname=${host} value=1 ${time}\n`;
const health = async (): Promise<Record<string, string>> => JSON.parse((await ask(server.port, '/healthz')).body);
const refused = (reason: string): Promise<number> =>
  figure(server.port, `ccms_lines_refused_total{reason="timestamp_${reason}"}`);

async function samplesOf(host: string): Promise<number> {
  const range = { cluster: 'alex', from: 0, to: nowSeconds() + 100 * HOUR, 'with-padding': false };
  const { results } = await query(server.port, { ...range, queries: [{ metric: 'load', host }] });
  return results[0]?.[0]?.data?.filter((value) => value !== null).length ?? 0;
}

describe('a sample of a wrong clock', () => {
  it('is refused with its line and host, counted, and warned of once; good ones beside it are stored', async () => {
    await start();
    const now = nowSeconds();
    const [tooNew, tooOld] = [now + HOUR, now - 97 * HOUR];
    const body = line('a0603', now) + line('a0604', tooNew) + line('a0605', tooOld) + line('a0603', now - 95 * HOUR);
    const why =
      `2 of 4 lines refused: line 2: timestamp more than future-limit after the server's clock (host a0604, ${tooNew}); ` +
      `line 3: timestamp older than twice the retention (host a0605, ${tooOld})`;
    for (let i = 0; i < 2; i++) {
      const { status, body: text } = await write(server.port, body);
      expect([status, JSON.parse(text).error]).toEqual([400, why]);
    }
    const influx = await write(server.port, body, '/api/v2/write?bucket=alex&precision=s');
    expect([influx.status, JSON.parse(influx.body).message]).toEqual([
      400,
      `partial write: ${why.replace('2 of 4 lines', '2 lines')}`,
    ]);
    expect(await samplesOf('a0603')).toBe(2);
    expect(await samplesOf('a0604')).toBe(0);
    expect([await refused('too_new'), await refused('too_old')]).toEqual([3, 3]);
    const warnings = server.log().match(/\[WARN\] shard.*/g) ?? [];
    expect(warnings.sort()).toEqual([
      expect.stringMatching(/host a0604 of cluster alex: 1 lines refused: .*is 1h after it/),
      expect.stringMatching(/host a0605 of cluster alex: 1 lines refused: .*is 4d1h before it/),
    ]);
    expect(await health()).toEqual({ status: 'OK', state: 'ready' });
  });

  it('is taken when most hosts seem to be ahead, because then this server is behind; it says so', async () => {
    await start();
    const sent = async (host: string, seconds: number): Promise<number> =>
      (await write(server.port, line(host, nowSeconds() + seconds))).status;
    expect(await sent('good', 0)).toBe(200);
    // Half of four is not most of them.
    for (const host of ['h1', 'h2']) expect(await sent(host, HOUR)).toBe(400);
    expect(await sent('h3', HOUR)).toBe(400);
    await until(async () => 'clock' in (await health()), server.log);
    expect((await health()).clock).toMatch(/^this server's clock \(.*\) seems to be wrong: 3 of 4 hosts/);
    for (const host of ['h1', 'h2', 'h3', 'h4']) expect(await sent(host, HOUR)).toBe(200);
    expect(await sent('old', -1000 * HOUR)).toBe(200);
    expect(await samplesOf('h1')).toBe(1);
    expect(await figure(server.port, 'ccms_clock_trusted')).toBe(0);
    expect(server.log()).toMatch(/\[ERR\] clock: .*no sample is refused for its time until they agree/);
  });
});

describe('a sample that was taken before such were refused', () => {
  it('makes no dead node healthy, and no answer endless', async () => {
    await start({ 'future-limit': '0' });
    const now = nowSeconds();
    const years = 10 * 365 * 24 * HOUR;
    const body = [
      line('dead', now - HOUR),
      line('dead', now + years),
      line('alive', now),
      line('alive', now + years),
      line('unborn', now + years),
      `fast,cluster=alex,hostname=unborn value=1 ${now + years}\n`,
    ];
    expect((await write(server.port, body.join(''))).status).toBe(200);
    const asked = { cluster: 'alex', nodes: ['dead', 'alive', 'unborn'], 'metric-names': ['load'] };
    const answer = await ask(server.port, '/api/healthcheck', { body: JSON.stringify(asked) });
    expect(JSON.parse(answer.body)).toEqual({
      dead: { State: 'failed', HealthMetrics: '{"degraded":["load"],"missing":[]}' },
      alive: { State: 'full', HealthMetrics: '{"degraded":[],"missing":[]}' },
      unborn: { State: 'failed', HealthMetrics: '{"degraded":["load"],"missing":[]}' },
    });
    const { results } = await query(server.port, {
      cluster: 'alex',
      from: now - 300,
      to: now + 60,
      queries: [
        { metric: 'load', host: 'alive' },
        { metric: 'load', host: 'unborn' },
        { metric: 'fast', host: 'unborn' },
      ],
    });
    expect(results.map(([entry]) => entry?.error)).toEqual([
      undefined,
      expect.stringMatching(/^padding too long: the data begins 5256\d\d\d nulls after 'from', at most 1000000/),
      expect.stringMatching(/^padding too long: the data begins 315360\d\d\d nulls after 'from', at most 1000000/),
    ]);
    expect(results[0]?.[0]?.data?.at(-1)).toBe(1);
  });
});
