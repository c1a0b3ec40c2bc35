import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activityOf } from '../src/simulate/activity.js';
import { pciAddress, simulatedNodes } from '../src/simulate/cluster.js';
import { JobSchedule } from '../src/simulate/jobs.js';
import { METRICS } from '../src/simulate/metrics.js';
import { type Options, parseOptions } from '../src/simulate/options.js';
import { createPoster } from '../src/simulate/post.js';
import { RefusedError, run } from '../src/simulate/run.js';
import { Latencies, Tally } from '../src/simulate/tally.js';
import { startProcess, type TestProcess } from './support/processes.js';
import { until } from './support/wait.js';

const NOW = 1_700_000_000;
/** One sample as InfluxDB line protocol has it, with seconds. */
const LINE = /^[a-z_]+(,[a-z-]+=[^ ,=]+)+ value=-?\d+(\.\d+)?(e[+-]?\d+)?i? \d{10}$/;
const SHAPE = { cluster: 'alex', nodes: 2, threads: 4, sockets: 2, gpus: 2, dead: 0, late: 0, hot: 0, seed: 1 };
/** Of the first node, which has no GPUs, and of the second. */
const LINES = 9 + 5 * 4 + 4 * 2;
const LINES_WITH_GPUS = LINES + 3 * 2;
const BOTH = LINES + LINES_WITH_GPUS;

let server: Server;
let url: URL;
let bodies: { body: string; path: string; authorization: string | undefined }[];
let answer: (response: ServerResponse, count: number) => void;

beforeEach(async () => {
  bodies = [];
  answer = (response) => response.end();
  server = createServer(async (request: IncomingMessage, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    bodies.push({
      body: Buffer.concat(pieces).toString(),
      path: request.url ?? '',
      authorization: request.headers.authorization,
    });
    answer(response, bodies.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function optionsOf(...argv: string[]): Options {
  const options = parseOptions(argv, NOW);
  if ('exit' in options) throw new Error(options.text);
  return options;
}

async function send(change: Partial<Options>, stop = new AbortController()): Promise<Tally> {
  const options = { ...optionsOf('-steps', '3', '-start', String(NOW), '-url', url.href), shape: SHAPE, ...change };
  const tally = new Tally();
  const poster = createPoster({ ...options, cluster: options.shape.cluster });
  try {
    await run(options, poster, tally, stop.signal);
  } finally {
    poster.close();
  }
  return tally;
}

/** Values of a metric in a batch. */
function valuesIn(body: Buffer | undefined, metric: string): number[] {
  const lines = (body?.toString() ?? '').split('\n').filter((line) => line.startsWith(`${metric},`));
  return lines.map((line) => Number.parseFloat(line.split(' value=')[1] ?? ''));
}

describe('simulated cluster', () => {
  it('reports every metric at its level, in valid lines', () => {
    const [plain, withGpus] = simulatedNodes(SHAPE, 60);
    expect([plain?.lines, withGpus?.lines]).toEqual([LINES, LINES_WITH_GPUS]);
    const batch = withGpus?.next(NOW);
    const lines = batch?.body.toString().trimEnd().split('\n') ?? [];
    expect(lines).toHaveLength(LINES_WITH_GPUS);
    expect(batch?.lines).toBe(LINES_WITH_GPUS);
    for (const line of lines) expect(line).toMatch(LINE);
    expect(new Set(lines.map((line) => line.split(',')[0]))).toEqual(new Set(METRICS.map(({ name }) => name)));
    expect(lines.filter((line) => line.includes('type=hwthread,type-id=3'))).toHaveLength(5);
    expect(lines.filter((line) => line.includes('type=accelerator,type-id=00000000:49:00.0'))).toHaveLength(3);
    expect(lines.filter((line) => line.includes('type=node,stype=filesystem'))).toHaveLength(3);
  });

  it('sends only what the example config stores', () => {
    const config = JSON.parse(readFileSync('configs/config.json', 'utf8')) as {
      main: { addr: string };
      metrics: object;
    };
    expect(Object.keys(config.metrics)).toEqual(expect.arrayContaining(METRICS.map(({ name }) => name)));
    expect(optionsOf().url.host).toBe(config.main.addr);
  });

  it('names no series twice, and nodes by rack and place', () => {
    const nodes = simulatedNodes({ ...SHAPE, nodes: 100, gpus: 8 }, 60);
    const keys = nodes.flatMap((node) =>
      node
        .next(NOW)
        .body.toString()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect([0, 31, 32, 74, 75, 99].map((position) => nodes[position]?.name)).toEqual([
      'f0101',
      'f0132',
      'f0201',
      'f0311',
      'g0101',
      'g0125',
    ]);
  });

  it('gives the same values for the same seed, others for another', () => {
    const body = (seed: number) =>
      simulatedNodes({ ...SHAPE, seed }, 60)[1]
        ?.next(NOW)
        .body.toString();
    expect(body(1)).toBe(body(1));
    expect(body(1)).not.toBe(body(2));
  });

  it('changes its values from step to step, counters by what an interval adds', () => {
    const [node] = simulatedNodes(SHAPE, 60);
    const [first, second] = [node?.next(NOW).body, node?.next(NOW + 60).body];
    expect(first?.toString()).not.toBe(second?.toString());
    const [before = 0] = valuesIn(first, 'net_bytes_in');
    const [after = 0] = valuesIn(second, 'net_bytes_in');
    expect((after - before) / 60).toBeGreaterThan(5e3);
    expect((after - before) / 60).toBeLessThan(2e8);
  });

  it('has nodes that are dead, late and hot, as many as asked for', () => {
    const nodes = simulatedNodes({ ...SHAPE, nodes: 50, dead: 2, late: 3, hot: 1 }, 60);
    const count = (state: string) => nodes.filter((node) => node.state === state).length;
    expect([count('dead'), count('late'), count('hot'), count('well')]).toEqual([2, 3, 1, 44]);
  });

  it('makes the hot node hotter than any other, whatever runs on it', () => {
    const nodes = simulatedNodes({ ...SHAPE, nodes: 200, gpus: 0, hot: 1 }, 60);
    for (let time = NOW; time < NOW + 2 * 86_400; time += 3600) {
      const heat = nodes.map(({ state, next }) => ({ state, heat: valuesIn(next(time).body, 'cpu_temp')[0] ?? 0 }));
      const hottest = heat.reduce((most, node) => (node.heat > most.heat ? node : most));
      expect(hottest.state, String(time)).toBe('hot');
    }
  });

  it.each(METRICS.map(({ name }) => name))('keeps %s within what hardware can do, for days', (name) => {
    const node = simulatedNodes({ ...SHAPE, gpus: 1, hot: 1 }, 600)[1];
    const metric = METRICS.find((one) => one.name === name);
    const limits: Record<string, number> = { percent: 115, degc: 130, w: 500, mhz: 3200 };
    for (let time = NOW; time < NOW + 3 * 86_400; time += 600) {
      for (const value of valuesIn(node?.next(time).body, name)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(limits[metric?.unit?.toLowerCase() ?? ''] ?? 1e16);
      }
    }
  });

  it('spells PCI addresses in hexadecimal', () => {
    expect([0, 1, 40].map(pciAddress)).toEqual(['00000000:49:00.0', '00000000:4e:00.0', '00000001:11:00.0']);
  });
});

describe('run', () => {
  it('backfills every node at every step', async () => {
    const tally = await send({ interval: 10, jwt: 'token' });
    expect(tally.accepted).toBe(3 * BOTH);
    expect(tally.refused).toBe(0);
    expect(bodies).toHaveLength(6);
    for (const { path, authorization } of bodies) {
      expect([path, authorization]).toEqual(['/api/write?cluster=alex', 'Bearer token']);
    }
    const lines = bodies.flatMap(({ body }) => body.trimEnd().split('\n'));
    expect(new Set(lines.map((line) => line.split(' ')[2]))).toEqual(
      new Set([0, 10, 20].map((seconds) => String(NOW + seconds))),
    );
  });

  it('goes on live with the present time and stops when told', async () => {
    const stop = new AbortController();
    const first = Math.floor(Date.now() / 1000);
    answer = (response, count) => {
      response.end();
      if (count === 2) stop.abort();
    };
    const tally = await send({ start: undefined, steps: Number.POSITIVE_INFINITY, interval: 1, connections: 1 }, stop);
    expect(tally.accepted).toBe(BOTH);
    const stamp = Number(bodies[0]?.body.split('\n')[0]?.split(' ')[2]);
    expect(stamp).toBeGreaterThanOrEqual(first);
    expect(stamp).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
  });

  it('keeps to the rate', async () => {
    const began = performance.now();
    await send({ rate: LINES * 20 });
    // Six batches, twenty a second: the last goes out after five pauses of 50 ms.
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('sends again what the server was too busy for', async () => {
    answer = (response, count) => {
      response.statusCode = count === 1 ? 503 : 200;
      response.end(count === 1 ? '{"error":"too much in flight"}' : '');
    };
    const tally = await send({ connections: 1 });
    expect([tally.accepted, tally.retries, tally.lastError]).toEqual([3 * BOTH, 1, '503 too much in flight']);
    expect(bodies[1]?.body).toBe(bodies[0]?.body);
  });

  it('counts what the server refuses and goes on', async () => {
    answer = (response, count) => {
      response.statusCode = count === 2 ? 400 : 200;
      response.end(count === 2 ? '{"status":"Bad Request","error":"1 line refused"}' : '');
    };
    const tally = await send({ connections: 1 });
    expect([tally.accepted, tally.refused, tally.lastError]).toEqual([
      3 * BOTH - LINES_WITH_GPUS,
      LINES_WITH_GPUS,
      '400 1 line refused',
    ]);
    expect(tally.summary()).toContain(`${LINES_WITH_GPUS} refused`);
  });

  it('gives up on a wrong token', async () => {
    answer = (response) => {
      response.statusCode = 401;
      response.end('{"error":"token expired"}');
    };
    await expect(send({})).rejects.toThrow(new RefusedError('the server answers 401 token expired'));
  });

  it('gives up when nothing listens there', async () => {
    server.close();
    await once(server, 'close');
    await expect(send({})).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('nodes that are not well', () => {
  it('a dead one falls silent after some samples, a late one is three intervals behind', async () => {
    const shape = { ...SHAPE, nodes: 10, threads: 1, gpus: 0, dead: 1, late: 1 };
    const [dead, late] = ['dead', 'late'].map(
      (state) => simulatedNodes(shape, 60).find((node) => node.state === state)?.name,
    );
    const first = Math.floor(Date.now() / 1000) - 3600;
    await send({ shape, start: first, interval: 60, steps: 60 });
    const times = (name: string | undefined): number[] =>
      bodies
        .filter(({ body }) => body.includes(`hostname=${name},`))
        .map(({ body }) => (Number(body.split('\n')[0]?.split(' ')[2]) - first) / 60)
        .sort((a, b) => a - b);
    expect(times(dead)).toEqual(Array.from({ length: 30 }, (_, step) => step));
    expect(times(late)).toEqual(Array.from({ length: 60 }, (_, step) => step - 3));
  });
});

describe('jobs', () => {
  it('start and end, leave some nodes idle, and more of them at night', () => {
    const schedule = new JobSchedule(0, 200, 'cpu', 1);
    const busyAt = (time: number): number => {
      schedule.advance(time);
      return Array.from({ length: 200 }, (_, node) => schedule.jobOf(node)).filter((job) => job !== undefined).length;
    };
    const midnight = Math.floor(NOW / 86_400) * 86_400;
    let [night, day] = [0, 0];
    for (let time = midnight; time < midnight + 14 * 86_400; time += 86_400) {
      night += busyAt(time + 2.5 * 3600) / 14;
      day += busyAt(time + 14.5 * 3600) / 14;
    }
    expect(night).toBeLessThan(day);
    expect(night).toBeGreaterThan(80);
    expect(day).toBeLessThan(200);
  });

  it('have all their nodes to themselves and are over when they said', () => {
    const schedule = new JobSchedule(10, 50, 'gpu', 3);
    for (let time = NOW; time < NOW + 86_400; time += 300) {
      schedule.advance(time);
      for (let node = 10; node < 60; node++) {
        const job = schedule.jobOf(node);
        if (job === undefined) continue;
        expect(job.nodes).toContain(node);
        expect(job.end).toBeGreaterThan(time);
        for (const other of job.nodes) expect(schedule.jobOf(other)).toBe(job);
      }
    }
  });

  it('read first, compute then, and write their state every half hour', () => {
    const schedule = new JobSchedule(0, 1, 'cpu', 5);
    schedule.advance(NOW);
    const job = schedule.jobOf(0);
    if (job === undefined) throw new Error('no job was started');
    const at = (age: number) => activityOf(job, 0, job.start + age, false);
    expect(at(30).io).toBeGreaterThan(at(900).io);
    expect(at(30).cpu).toBeLessThan(at(900).cpu);
    expect(at(1830).io).toBeGreaterThan(at(900).io);
    expect(activityOf(undefined, 0, NOW, false).cpu).toBeLessThan(0.01);
  });
});

describe('parseOptions', () => {
  it('gives many nodes fewer threads, unless told otherwise', () => {
    expect(optionsOf().shape).toMatchObject({ nodes: 8, threads: 72, dead: 1, late: 1, hot: 1 });
    expect(optionsOf('-nodes', '4').shape).toMatchObject({ threads: 72, dead: 0, late: 0, hot: 0 });
    expect(optionsOf('-nodes', '4', '-dead', '1').shape).toMatchObject({ dead: 1, late: 0 });
    const { threads } = optionsOf('-nodes', '1000').shape;
    const series = simulatedNodes({ ...SHAPE, nodes: 1000, threads, gpus: 4 }, 60).reduce(
      (sum, { lines }) => sum + lines,
      0,
    );
    expect(series).toBeGreaterThan(40_000);
    expect(series).toBeLessThan(70_000);
    expect(optionsOf('-nodes', '1000', '-threads', '72').shape.threads).toBe(72);
  });

  it('understands times', () => {
    expect(optionsOf().start).toBeUndefined();
    expect(optionsOf('-start', '1699999999').start).toBe(1699999999);
    expect(optionsOf('-start=2h').start).toBe(NOW - 7200);
    expect(optionsOf('-start=-7d').start).toBe(NOW - 7 * 86400);
    expect(optionsOf('-start', '2023-11-14T22:00:00Z').start).toBe(1699999200);
  });

  it.each([
    [['-nodes', '0'], '-nodes 0: expected at least 1'],
    [['-dead', '-1'], '-dead -1: expected 0 or more'],
    [['-rate', '-1'], '-rate -1: expected 0 or more'],
    [['-url', 'localhost:8080'], '-url "localhost:8080": expected http://HOST:PORT'],
    [['-start', 'yesterday'], '-start "yesterday": expected unix seconds'],
    [['-start', String(NOW + 1)], 'expected a time in the past'],
    [['-cluster', 'a b'], '-cluster "a b": expected a name'],
    [['-bogus'], 'flag provided but not defined: -bogus'],
    [['extra'], 'unexpected argument "extra"'],
  ])('refuses %j', (argv, message) => {
    const options = parseOptions(argv, NOW);
    expect(options).toMatchObject({ exit: 2 });
    expect('text' in options && options.text).toContain(message);
  });
});

describe('Latencies', () => {
  it('finds percentiles within five per cent', () => {
    const latencies = new Latencies();
    for (let i = 1; i <= 1000; i++) latencies.add(i / 10);
    expect(latencies.percentile(0.5) / 50).toBeCloseTo(1, 1);
    expect(latencies.percentile(0.99) / 99).toBeCloseTo(1, 1);
    expect(latencies.percentile(1)).toBe(100);
    expect(latencies.max).toBe(100);
  });

  it('is 0 without any', () => {
    expect(new Latencies().percentile(0.99)).toBe(0);
  });
});

describe('command', () => {
  const start = (argv: string[]): TestProcess => startProcess(process.execPath, ['dist/simulate.js', ...argv]);

  /** Runs the program; the text is what it printed to stderr. */
  async function simulate(argv: string[]) {
    const program = start(argv);
    const { status } = await program.exited;
    return { code: status, text: program.stderr };
  }

  it('prints a summary and exits 0', async () => {
    const { code, text } = await simulate(['-url', url.href, '-nodes', '1', '-steps', '2', '-start', '1h']);
    expect(code).toBe(0);
    expect(text).toMatch(/^\d+ lines \(\d+\.\d MB\) in .* 0 refused, 0 retries/);
  });

  it('stops on SIGINT with a summary', async () => {
    const program = start(['-url', url.href, '-nodes', '1']);
    await until(() => bodies.length > 0);
    expect((await program.stop('SIGINT')).status).toBe(0);
    expect(program.stderr).toMatch(/ lines .* 0 refused/);
  });

  it('says where it cannot post to', async () => {
    server.close();
    await once(server, 'close');
    const { code, text } = await simulate(['-url', url.href]);
    expect(code).toBe(1);
    expect(text).toContain(`cannot post to ${url.href}: `);
    expect(text).toContain('is the server running there?');
  });

  it('exits 2 for a wrong flag', async () => {
    expect(await simulate(['-bogus'])).toMatchObject({ code: 2 });
  });
});
