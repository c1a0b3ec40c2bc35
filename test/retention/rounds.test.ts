import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackendToken } from '../../src/config/config.js';
import { retentionRounds } from '../../src/retention/rounds.js';
import { fetchUsedNodes, parseUsedNodes } from '../../src/retention/used-nodes.js';
import { type CcBackend, startCcBackend } from '../support/cc-backend.js';
import { configWith } from '../support/config.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { token, tokenKey } from '../support/tokens.js';
import { JobStore } from './fixtures.js';

const NOW = 1_700_000_000_000;
const CUTOFF = 1_700_000_000 - 48 * 3600;
const servers: Server[] = [];
const closing: CcBackend[] = [];

afterEach(() => {
  for (const backend of closing.splice(0)) backend.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A backend of its own; returns its base URL. */
async function backend(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** A real one, as far as that goes. */
async function ccBackend(used: CcBackend['used']): Promise<CcBackend> {
  const backend = await startCcBackend();
  closing.push(backend);
  backend.used = used;
  return backend;
}

const limits = { timeoutMs: 120_000, maxBytes: 10_000 };
const impatient = { ...limits, timeoutMs: 200 };

describe('retentionRounds', () => {
  const rounds = (url?: string, token?: BackendToken) => {
    const store = new JobStore();
    const log = new KeptLog();
    const freed: number[] = [];
    const onFreed = (blocks: number): void => {
      freed.push(blocks);
    };
    const backend = {
      ...(url !== undefined && { backendUrl: url }),
      ...(token !== undefined && { backendToken: token }),
    };
    const config = configWith({}, backend);
    const round = retentionRounds({ store, log, onFreed, config, now: () => NOW, limits });
    return { store, log, freed, round };
  };

  it('frees what is older than the retention', async () => {
    const { store, freed, round } = rounds();
    expect(await round()).toBe(true);
    expect(store.retained).toEqual([{ to: CUTOFF, except: {} }]);
    expect(freed).toEqual([7]);
  });

  it('asks cc-backend with its token for the cutoff and keeps the hosts that it names', async () => {
    const { url, asked, jwt } = await ccBackend({ alpha: ['n1', 'n2'], beta: [] });
    const { store, round } = rounds(url, jwt(['api']));
    expect(await round()).toBe(true);
    expect(asked).toEqual([`/api/jobs/used_nodes?ts=${CUTOFF}`]);
    expect(store.retained).toEqual([{ to: CUTOFF, except: { alpha: ['n1', 'n2'], beta: [] } }]);
  });

  it('reads a token file at each round, so that a new token needs no restart', async () => {
    const { url, jwt } = await ccBackend({ alpha: ['n1'] });
    const file = join(temporaryDirectory(), 'backend.jwt');
    const { store, log, round } = rounds(url, { file });
    expect(await round()).toBe(false);
    expect(log.lines[0]).toContain(`${file} (main.backend-token-file): cannot read it: ENOENT`);
    writeFileSync(file, 'not a\ntoken\n');
    expect(await round()).toBe(false);
    expect(log.lines[1]).toContain(`${file} (main.backend-token-file): expected one JWT and nothing else`);
    writeFileSync(file, `${jwt(['api', 'admin'])}\n`);
    expect(await round()).toBe(true);
    expect(store.retained).toEqual([{ to: CUTOFF, except: { alpha: ['n1'] } }]);
  });

  it.each([
    ['no token', () => undefined, 'status 401 (no user for secured check), expected 200; it wants a JWT'],
    ['a token of another key', () => token(tokenKey(), { sub: 'a', roles: ['api'] }), 'status 401 (token signature is'],
    [
      'an old token',
      ({ jwt }: CcBackend) => jwt(['api'], { exp: 1 }),
      'status 401 (token has invalid claims: token is',
    ],
    ['a token of a user', ({ jwt }: CcBackend) => jwt(['user']), 'status 401 (unauthorized), expected 200'],
    ['a token without roles', ({ jwt }: CcBackend) => jwt([]), 'status 401, expected 200'],
  ])('frees nothing, however often cc-backend refuses %s', async (_what, tokenFor, reason) => {
    const backend = await ccBackend({ alpha: ['n1'] });
    const { store, log, round } = rounds(backend.url, tokenFor(backend));
    for (let i = 0; i < 5; i++) expect(await round()).toBe(false);
    expect(backend.asked.length).toBe(5);
    expect(store.retained).toEqual([]);
    expect(log.lines.length).toBe(5);
    expect(log.lines[4]).toContain(
      `warn the backend does not say which hosts run jobs: GET ${backend.url}/api/jobs/used_nodes?ts=${CUTOFF}: ${reason}`,
    );
    expect(log.lines[4]).toMatch(/nothing is freed until it does, except by the memory cap$/);
  });

  it.each([
    ['a page', (response: ServerResponse) => response.end('<html>login</html>'), 'is not JSON'],
    ['another shape', (response: ServerResponse) => response.end('{"c":{"a":1}}'), 'is not a list of host names'],
    ['nothing', (response: ServerResponse) => response.writeHead(204).end(), 'status 204'],
    ['that it knows no such route', (response: ServerResponse) => response.writeHead(404).end('{}'), 'status 404'],
  ])('frees nothing, however often the backend answers %s', async (_what, answer, reason) => {
    const { store, log, round } = rounds(await backend((_, response) => answer(response)));
    for (let i = 0; i < 5; i++) expect(await round()).toBe(false);
    expect(store.retained).toEqual([]);
    expect(log.lines[4]).toContain(reason);
  });

  it('frees nothing while the backend fails, everything at its third failure in a row', async () => {
    const backend = await ccBackend({ alpha: ['n1'] });
    const { store, log, round } = rounds(backend.url, backend.jwt(['api']));
    backend.databaseError = 'database is locked';
    const outcomes = [await round(), await round()];
    expect(store.retained).toEqual([]);
    expect(log.lines[0]).toBe(
      `warn cannot ask the backend which hosts run jobs (failure 1 in a row): GET ${backend.url}/api/jobs/used_nodes?ts=${CUTOFF}: ` +
        'status 500 (failed to get used nodes: database is locked), expected 200; nothing is freed this round',
    );
    outcomes.push(await round());
    expect(store.retained).toEqual([{ to: CUTOFF, except: {} }]);
    expect(log.lines[2]).toContain('failure 3 in a row');
    expect(log.lines[2]).toContain('freeing as if no job ran');
    expect(outcomes).toEqual([false, false, false]);
    // One good answer, and the count begins anew.
    backend.databaseError = undefined;
    expect(await round()).toBe(true);
    backend.databaseError = 'disk I/O error';
    await round();
    await round();
    expect(store.retained.slice(1)).toEqual([{ to: CUTOFF, except: { alpha: ['n1'] } }]);
  });

  it('counts failures anew behind a refusal', async () => {
    let status = 503;
    const url = await backend((_, response) => response.writeHead(status).end());
    const { store, round } = rounds(url);
    for (status of [503, 503, 401, 503, 503]) await round();
    expect(store.retained).toEqual([]);
    await round();
    expect(store.retained).toEqual([{ to: CUTOFF, except: {} }]);
  });

  it('leaves a store alone that is not ready', async () => {
    const { store, round } = rounds();
    store.state = 'loading';
    expect(await round()).toBe(true);
    expect(store.retained).toEqual([]);
  });
});

describe('fetchUsedNodes', () => {
  const fails = (url: string, given = limits): Promise<unknown> => fetchUsedNodes({ url }, 1, fetch, given);

  it('fails when nobody listens', async () => {
    const url = await backend(() => undefined);
    servers[0]?.close();
    await expect(fails(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('fails when there is no answer in time', async () => {
    const url = await backend(() => undefined);
    await expect(fails(url, impatient)).rejects.toThrow('no complete answer within 200 ms');
  });

  it('fails when the answer is not complete in time', async () => {
    const url = await backend((_, response) => {
      response.write('{"alpha":["n1"');
    });
    await expect(fails(url, impatient)).rejects.toThrow('no complete answer within 200 ms');
  });

  it('fails when the connection breaks in the middle of the answer', async () => {
    const url = await backend((_, response) => {
      response.write('{"alpha":["n1"', () => response.destroy());
    });
    await expect(fails(url)).rejects.toThrow(/GET .*: .+/);
  });

  it('fails for an answer that never ends, without holding it', async () => {
    let sent = 0;
    const url = await backend((_, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        sent += 4096;
        response.write(' '.repeat(4096), () => setImmediate(more));
      };
      more();
    });
    await expect(fails(url)).rejects.toThrow('the answer is longer than 10000 bytes');
    expect(sent).toBeLessThan(10e6);
  });

  it('fails for a page that asks for a login', async () => {
    const url = await backend((request, response) => {
      if (request.url === '/login') response.end('<html>who are you</html>');
      else response.writeHead(302, { location: '/login' }).end();
    });
    await expect(fails(url)).rejects.toThrow('the answer is not JSON, it begins with "<html>who are you</html>"');
  });

  it('does not repeat a password of the address', async () => {
    const error = await fails('http://admin:secret@127.0.0.1:1').catch((cause: unknown) => cause);
    expect(String(error)).toMatch(/^Error: GET http:/);
    expect(String(error)).not.toContain('secret');
  });
});

describe('parseUsedNodes', () => {
  it('reads clusters and hosts; null is none', () => {
    expect(parseUsedNodes('{"a":["x","y","x"],"__proto__":["z"]}')).toEqual(
      new Map([
        ['a', new Set(['x', 'y'])],
        ['__proto__', new Set(['z'])],
      ]),
    );
    expect(parseUsedNodes('null')).toEqual(new Map());
    expect(parseUsedNodes('{"usedNodes":null}')).toEqual(new Map());
    expect(parseUsedNodes('{"usedNodes":{"a":["x"],"b":null}}')).toEqual(new Map([['a', new Set(['x'])]]));
    // A cluster may have that name.
    expect(parseUsedNodes('{"usedNodes":["x"]}')).toEqual(new Map([['usedNodes', new Set(['x'])]]));
  });

  it.each([
    '',
    '[]',
    '"a"',
    '7',
    '{"a":{"b":1}}',
    '{"a":[1]}',
    '{"a":"n1"}',
    '{"a":[null]}',
    '{"a":["n1"]',
    '{"usedNodes":{"a":1}}',
  ])('refuses %s', (text) => {
    expect(() => parseUsedNodes(text)).toThrow(/^the answer/);
  });
});
