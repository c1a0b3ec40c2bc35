import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { type HttpOptions, type HttpServer, startHttp } from '../../src/http/server.js';
import { MemoryStore } from './memory-store.js';

export interface Observation {
  route: string;
  seconds: number;
  status: number;
  bytes: number;
}

export interface Running extends HttpServer {
  store: MemoryStore;
  observed: Observation[];
  logged: string[];
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const running: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

export function configWith(main: Partial<Config['main']> = {}, store: Partial<Config['store']> = {}): Config {
  return {
    main: { host: '127.0.0.1', port: 0, ...main },
    metrics: new Map([['cpu_load', { frequency: 60, aggregation: null, precision: 'double' }]]),
    store: {
      retentionSeconds: 172800,
      memoryCapBytes: 0,
      checkpoints: { fileFormat: 'wal', directory: './var/checkpoints', maxWalSize: 0 },
      checkpointIntervalSeconds: 43200,
      numWorkers: 1,
      cleanup: { mode: 'delete' },
      natsSubscriptions: [],
      walSync: 'interval',
      maxBodySize: 64 << 20,
      ...store,
    },
  };
}

/** A server on a free port; it is closed after the test. */
export async function start(options: Partial<HttpOptions> & { store?: MemoryStore } = {}): Promise<Running> {
  const store = options.store ?? new MemoryStore();
  const observed: Observation[] = [];
  const logged: string[] = [];
  const err = (message: string, error?: unknown): void => {
    logged.push(`${message}: ${String(error)}`);
  };
  const http = await startHttp({
    config: configWith(),
    dev: false,
    version: '0.0.0-test',
    log: { err },
    observe: (route, seconds, status, bytes) => observed.push({ route, seconds, status, bytes }),
    ...options,
    store,
  });
  running.push(http);
  return { ...http, store, observed, logged };
}

export interface Asked {
  method?: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
}

/** One request as a client makes it; GET carries a body too. */
export function ask(port: number, path: string, { method, body, headers }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || headers?.['Transfer-Encoding'] !== undefined
        ? {}
        : { 'Content-Length': String(Buffer.byteLength(body)) };
    const sent: ClientRequest = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...length, ...headers },
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends raw bytes and resolves to everything that came back once the server closed, or after `milliseconds`. */
export function raw(port: number, bytes: string | Uint8Array, milliseconds = 1000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
    socket.write(bytes);
  });
}

/** Polls until the condition holds; fails the test after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 5000; waited += 5) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the condition did not come true within 5 s');
}

export function errorOf(answer: Answer): string {
  return (JSON.parse(answer.body) as { error: string }).error;
}
