import { join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import { type HttpOptions, type HttpServer, startHttp } from '../../src/http/server.js';
import type { Answer } from '../support/client.js';
import { configWith } from '../support/config.js';
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

/** Swagger UI's files, as they are built. */
export const SWAGGER = resolve('dist/swagger');

const running: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((http) => http.close()));
});

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
    pageDirectory: join(import.meta.dirname, 'page'),
    version: '0.0.0-test',
    log: { err },
    observe: (route, seconds, status, bytes) => observed.push({ route, seconds, status, bytes }),
    ...options,
    store,
  });
  running.push(http);
  return { ...http, store, observed, logged };
}

export function errorOf(answer: Answer): string {
  return (JSON.parse(answer.body) as { error: string }).error;
}
