import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { METRICS, pciAddress, simulatedHosts } from '../src/simulate/cluster.js';
import { type Options, parseOptions } from '../src/simulate/options.js';
import { createPoster } from '../src/simulate/post.js';
import { RefusedError, run } from '../src/simulate/run.js';
import { Latencies, Tally } from '../src/simulate/tally.js';
import { seededRandom, valuesOf } from '../src/simulate/values.js';

const NOW = 1_700_000_000;
/** One sample as InfluxDB line protocol has it, with seconds. */
const LINE = /^[a-z_]+(,[a-z-]+=[^ ,=]+)+ value=-?\d+(\.\d+)?(e[+-]?\d+)?i? \d{10}$/;
const SHAPE = { cluster: 'alex', hosts: 2, threads: 4, sockets: 2, gpus: 2, seed: 1 };
const LINES_A_HOST = 9 + 5 * 4 + 3 * 2 + 3 * 2;

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

describe('simulated cluster', () => {
  it('reports every metric at its level, in valid lines', () => {
    const [host] = simulatedHosts(SHAPE);
    const batch = host?.next(NOW);
    const lines = batch?.body.toString().trimEnd().split('\n') ?? [];
    expect(lines).toHaveLength(LINES_A_HOST);
    expect(batch?.lines).toBe(LINES_A_HOST);
    expect(host?.lines).toBe(LINES_A_HOST);
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

  it('names no series twice', () => {
    const keys = simulatedHosts({ ...SHAPE, hosts: 3, gpus: 8 }).flatMap((host) =>
      host
        .next(NOW)
        .body.toString()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('gives the same values for the same seed, others for another', () => {
    const body = (seed: number) =>
      simulatedHosts({ ...SHAPE, seed })[1]
        ?.next(NOW)
        .body.toString();
    expect(body(1)).toBe(body(1));
    expect(body(1)).not.toBe(body(2));
  });

  it('changes its values from step to step', () => {
    const [host] = simulatedHosts(SHAPE);
    expect(host?.next(NOW).body.toString()).not.toBe(host?.next(NOW).body.toString());
  });

  it.each(['percent', 'steady', 'gauge', 'load', 'rate', 'counter', 'rare', 'constant'] as const)(
    'keeps %s values plausible for days',
    (kind) => {
      const next = valuesOf(kind, 50, seededRandom(5));
      const values = Array.from({ length: 5000 }, () => Number.parseFloat(next()));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      const limit = {
        percent: 100,
        steady: 100,
        constant: 50,
        rare: 4,
        load: 1e3,
        gauge: 1e6,
        rate: 1e6,
        counter: 1e9,
      };
      expect(Math.max(...values)).toBeLessThanOrEqual(limit[kind]);
      if (kind === 'steady') expect(values.reduce((sum, value) => sum + value) / values.length).toBeCloseTo(50, -1);
    },
  );

  it('spells PCI addresses in hexadecimal', () => {
    expect([0, 1, 40].map(pciAddress)).toEqual(['00000000:49:00.0', '00000000:4e:00.0', '00000001:11:00.0']);
  });
});

describe('run', () => {
  it('backfills every host at every step', async () => {
    const tally = await send({ interval: 10, jwt: 'token' });
    expect(tally.accepted).toBe(3 * 2 * LINES_A_HOST);
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
    expect(tally.accepted).toBe(2 * LINES_A_HOST);
    const stamp = Number(bodies[0]?.body.split('\n')[0]?.split(' ')[2]);
    expect(stamp - first).toBeGreaterThanOrEqual(0);
    expect(stamp - first).toBeLessThanOrEqual(1);
  });

  it('keeps to the rate', async () => {
    const began = performance.now();
    await send({ rate: LINES_A_HOST * 20 });
    // Six batches, twenty a second: the last goes out after five pauses of 50 ms.
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('sends again what the server was too busy for', async () => {
    answer = (response, count) => {
      response.statusCode = count === 1 ? 503 : 200;
      response.end(count === 1 ? '{"error":"too much in flight"}' : '');
    };
    const tally = await send({ connections: 1 });
    expect([tally.accepted, tally.retries, tally.lastError]).toEqual([6 * LINES_A_HOST, 1, '503 too much in flight']);
    expect(bodies[1]?.body).toBe(bodies[0]?.body);
  });

  it('counts what the server refuses and goes on', async () => {
    answer = (response, count) => {
      response.statusCode = count === 2 ? 400 : 200;
      response.end(count === 2 ? '{"status":"Bad Request","error":"1 line refused"}' : '');
    };
    const tally = await send({ connections: 1 });
    expect([tally.accepted, tally.refused, tally.lastError]).toEqual([
      5 * LINES_A_HOST,
      LINES_A_HOST,
      '400 1 line refused',
    ]);
    expect(tally.summary()).toContain(`${LINES_A_HOST} refused`);
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

describe('parseOptions', () => {
  it('understands times', () => {
    expect(optionsOf().start).toBeUndefined();
    expect(optionsOf('-start', '1699999999').start).toBe(1699999999);
    expect(optionsOf('-start=2h').start).toBe(NOW - 7200);
    expect(optionsOf('-start=-7d').start).toBe(NOW - 7 * 86400);
    expect(optionsOf('-start', '2023-11-14T22:00:00Z').start).toBe(1699999200);
  });

  it.each([
    [['-hosts', '0'], '-hosts 0: expected at least 1'],
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
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ccms-simulate-'));
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({
        extends: resolve('tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          rootDir: resolve('src'),
          outDir: dir,
          typeRoots: [resolve('node_modules/@types')],
        },
        files: [resolve('src/simulate.ts')],
        include: [],
      }),
    );
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    const compiled = spawnSync('node_modules/.bin/tsc', ['-p', join(dir, 'tsconfig.json')], { encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(compiled.stdout);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** Runs the program; the text is what it printed to stderr. */
  async function simulate(argv: string[], started?: (child: ChildProcess) => void) {
    const child = spawn(process.execPath, [join(dir, 'simulate.js'), ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    started?.(child);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, text };
  }

  it('prints a summary and exits 0', async () => {
    const { code, text } = await simulate(['-url', url.href, '-hosts', '1', '-steps', '2', '-start', '1h']);
    expect(code).toBe(0);
    expect(text).toMatch(/^\d+ lines \(\d+\.\d MB\) in .* 0 refused, 0 retries/);
  });

  it('stops on SIGINT with a summary', async () => {
    const { code, text } = await simulate(['-url', url.href, '-hosts', '1'], (child) => {
      answer = (response) => {
        response.end();
        child.kill('SIGINT');
      };
    });
    expect(code).toBe(0);
    expect(text).toMatch(/ lines .* 0 refused/);
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
