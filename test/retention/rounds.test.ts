import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { retentionRounds } from '../../src/retention/rounds.js';
import { fetchUsedNodes, parseUsedNodes } from '../../src/retention/used-nodes.js';
import { configWith, JobStore, keptLog } from './fixtures.js';

const NOW = 1_700_000_000_000;
const CUTOFF = 1_700_000_000 - 48 * 3600;
const servers: Server[] = [];

afterEach(() => {
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

const limits = { timeoutMs: 200, maxBytes: 10_000 };

describe('retentionRounds', () => {
  const rounds = (url?: string) => {
    const store = new JobStore();
    const log = keptLog();
    const freed: number[] = [];
    const onFreed = (blocks: number): void => {
      freed.push(blocks);
    };
    const round = retentionRounds({ store, log, onFreed, config: configWith({}, url), now: () => NOW, limits });
    return { store, log, freed, round };
  };

  it('frees what is older than the retention', async () => {
    const { store, freed, round } = rounds();
    expect(await round()).toBe(true);
    expect(store.retained).toEqual([{ to: CUTOFF, except: {} }]);
    expect(freed).toEqual([7]);
  });

  it('asks the backend for the cutoff and keeps the hosts that it names', async () => {
    const asked: (string | undefined)[] = [];
    const url = await backend((request, response) => {
      asked.push(request.url);
      response.end('{"alpha":["n1","n2"],"beta":null,"gamma":[]}');
    });
    const { store, round } = rounds(url);
    expect(await round()).toBe(true);
    expect(asked).toEqual([`/api/jobs/used_nodes?ts=${CUTOFF}`]);
    expect(store.retained).toEqual([{ to: CUTOFF, except: { alpha: ['n1', 'n2'], gamma: [] } }]);
  });

  it('frees nothing while the backend fails, everything at its third failure in a row', async () => {
    let status = 500;
    const url = await backend((_, response) => {
      response.statusCode = status;
      response.end('{"alpha":["n1"]}');
    });
    const { store, log, round } = rounds(url);
    const outcomes = [await round(), await round()];
    expect(store.retained).toEqual([]);
    expect(log.lines[0]).toBe(
      `warn cannot ask the backend which hosts run jobs (failure 1 in a row): GET ${url}/api/jobs/used_nodes?ts=${CUTOFF}: status 500, expected 200; nothing is freed this round`,
    );
    outcomes.push(await round());
    expect(store.retained).toEqual([{ to: CUTOFF, except: {} }]);
    expect(log.lines[2]).toContain('failure 3 in a row');
    expect(log.lines[2]).toContain('freeing as if no job ran');
    expect(outcomes).toEqual([false, false, false]);
    // One good answer, and the count begins anew.
    status = 200;
    expect(await round()).toBe(true);
    status = 503;
    await round();
    await round();
    expect(store.retained.slice(1)).toEqual([{ to: CUTOFF, except: { alpha: ['n1'] } }]);
  });

  it('leaves a store alone that is not ready', async () => {
    const { store, round } = rounds();
    store.state = 'loading';
    expect(await round()).toBe(true);
    expect(store.retained).toEqual([]);
  });
});

describe('fetchUsedNodes', () => {
  const fails = (url: string): Promise<unknown> => fetchUsedNodes(url, 1, fetch, limits);

  it('fails when nobody listens', async () => {
    const url = await backend(() => undefined);
    servers[0]?.close();
    await expect(fails(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('fails when there is no answer in time', async () => {
    const url = await backend(() => undefined);
    await expect(fails(url)).rejects.toThrow('no complete answer within 200 ms');
  });

  it('fails when the answer is not complete in time', async () => {
    const url = await backend((_, response) => {
      response.write('{"alpha":["n1"');
    });
    await expect(fails(url)).rejects.toThrow('no complete answer within 200 ms');
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
  });

  it.each(['', '[]', '"a"', '7', '{"a":{"b":1}}', '{"a":[1]}', '{"a":"n1"}', '{"a":[null]}', '{"a":["n1"]'])(
    'refuses %s',
    (text) => {
      expect(() => parseUsedNodes(text)).toThrow(/^the answer/);
    },
  );
});
