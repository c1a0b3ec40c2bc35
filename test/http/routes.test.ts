import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/store/store.js';
import { ask } from '../support/client.js';
import { errorOf, SWAGGER, start } from './harness.js';

describe('POST /api/free', () => {
  it('frees below each selector and says how many', async () => {
    const { port, store } = await start();
    const answer = await ask(port, '/api/free/?to=1700000000', { body: '[["alex","a1"],["fritz"]]' });
    expect(answer).toMatchObject({ status: 200, body: 'buffers freed: 2\n' });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(store.freed).toEqual([{ to: 1700000000, selectors: [['alex', 'a1'], ['fritz']] }]);
    expect((await ask(port, '/api/free?to=-5', { body: '[]' })).body).toBe('buffers freed: 0\n');
  });

  it.each([
    ['', '[]', "'to' is a required query parameter"],
    ['?to=', '[]', "'to' is a required query parameter"],
    ['?to=abc', '[]', 'to: expected unix seconds as an integer, got "abc"'],
    ['?to=1.5', '[]', 'to: expected'],
    ['?to=99999999999999999999', '[]', 'to: expected'],
    ['?to=1', '', 'is empty'],
    ['?to=1', '{', 'ends in the middle'],
    ['?to=1', '{"a":1}', 'the request body: expected an array'],
    ['?to=1', 'null', 'the request body: expected an array'],
    ['?to=1', '[null]', '[0]: expected an array, got null'],
    ['?to=1', '[["alex",1]]', '[0][1]: expected a string, got 1'],
  ])('refuses %s with body %s', async (query, body, message) => {
    const { port, store } = await start();
    const answer = await ask(port, `/api/free${query}`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain(message);
    expect(store.freed).toEqual([]);
  });
});

describe('GET /api/debug', () => {
  it('streams the tree below the selector', async () => {
    const { port, store } = await start();
    expect(await ask(port, '/api/debug?selector=alex:f1:hwthread0')).toMatchObject({
      status: 200,
      body: '{"data":{}}\n',
    });
    await ask(port, '/api/debug/');
    expect(store.debugged).toEqual([['alex', 'f1', 'hwthread0'], []]);
  });

  it('answers 400 for an unknown selector', async () => {
    const { port, store } = await start();
    store.tree = () => new StoreError('NOT_FOUND', 'no such level: alex:nope');
    const answer = await ask(port, '/api/debug?selector=alex:nope');
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toBe('no such level: alex:nope');
  });

  it('counts with summary=1', async () => {
    const { port, store } = await start();
    const figures = { hosts: 2, series: 3, samples: 4, bytes: 5 };
    store.summaries = [
      { cluster: 'alex', ...figures, blocks: { raw: 1 } },
      { cluster: '__proto__', ...figures, blocks: {} },
    ];
    const answer = await ask(port, '/api/debug?summary=1');
    const alex = `"alex":{"hosts":2,"series":3,"samples":4,"bytes":5,"chunks":{"raw":1}}`;
    expect(answer.body).toBe(
      `{"clusters":{${alex},"__proto__":{"hosts":2,"series":3,"samples":4,"bytes":5,"chunks":{}}}}\n`,
    );
    expect((await ask(port, '/api/debug?summary=1&selector=alex')).body).toBe(`{"clusters":{${alex}}}\n`);
    expect((await ask(port, '/api/debug?summary=1&selector=fritz')).status).toBe(400);
    expect((await ask(port, '/api/debug?summary=0')).body).toBe('{"data":{}}\n');
  });
});

describe('GET and POST /api/healthcheck', () => {
  it('answers a state a node, metrics as a JSON string', async () => {
    const { port, store } = await start();
    store.healths.set('f1', { state: 'full', degraded: [], missing: [], known: true });
    store.healths.set('f2', { state: 'partial', degraded: ['clock'], missing: ['load'], known: true });
    store.healths.set('f3', { state: 'failed', degraded: [], missing: ['clock', 'load'], known: true });
    const body = '{"cluster":"alex","nodes":["f1","f2","f3","zz","__proto__"],"metric-names":["clock","load"]}';
    const expected =
      '{"f1":{"State":"full","HealthMetrics":"{\\"degraded\\":[],\\"missing\\":[]}"},' +
      '"f2":{"State":"partial","HealthMetrics":"{\\"degraded\\":[\\"clock\\"],\\"missing\\":[\\"load\\"]}"},' +
      '"f3":{"State":"failed","HealthMetrics":"{\\"degraded\\":[],\\"missing\\":[\\"clock\\",\\"load\\"]}"},' +
      '"zz":{"State":"failed","HealthMetrics":""},"__proto__":{"State":"failed","HealthMetrics":""}}\n';
    expect((await ask(port, '/api/healthcheck/', { method: 'GET', body })).body).toBe(expected);
    expect((await ask(port, '/api/healthcheck', { method: 'POST', body })).body).toBe(expected);
  });

  it.each(['{}', '{"cluster":null,"nodes":null,"metric-names":null}', '{"nodes":[]}'])(
    'answers {} to %s',
    async (body) => {
      const { port } = await start();
      expect(await ask(port, '/api/healthcheck', { method: 'GET', body })).toMatchObject({ status: 200, body: '{}\n' });
    },
  );

  it.each([
    ['{"cluster":"alex","bogus":1}', 'bogus: expected no such key'],
    ['[]', 'the request body: expected an object, got Array'],
    ['{"nodes":["a",1]}', 'nodes[1]: expected a string, got 1'],
    ['', 'is empty'],
    ['{', 'ends in the middle'],
  ])('refuses %s', async (body, message) => {
    const { port } = await start();
    const answer = await ask(port, '/api/healthcheck', { method: 'GET', body });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toContain(message);
  });
});

describe('GET /healthz', () => {
  it('answers 503 while loading and stopping, 200 in between', async () => {
    const { port, store } = await start({ healthDetail: () => ({ nats: 'connected' }) });
    for (const [state, status] of [
      ['loading', 503],
      ['ready', 200],
      ['stopping', 503],
    ] as const) {
      store.state = state;
      const answer = await ask(port, '/healthz/');
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toMatchObject({ state, nats: 'connected' });
    }
  });
});

describe("Prometheus's routes", () => {
  it.each([
    ['/-/healthy', undefined],
    ['/-/ready/', undefined],
    ['/api/v1/status/buildinfo', 'unavailable'],
    ['/api/v1/query?query=1', 'unavailable'],
    ['/api/v1/query_exemplars', 'unavailable'],
    ['/api/v1/metadata', 'unavailable'],
  ])('%s answers 503 while loading and stopping, 200 in between', async (path, errorType) => {
    const { port, store } = await start();
    for (const [state, status] of [
      ['loading', 503],
      ['ready', 200],
      ['stopping', 503],
    ] as const) {
      store.state = state;
      const answer = await ask(port, path);
      expect(answer.status, answer.body).toBe(status);
      if (status === 503) expect(answer.headers['retry-after']).toBeDefined();
      if (status === 503 && errorType) expect(JSON.parse(answer.body)).toMatchObject({ status: 'error', errorType });
    }
  });
});

describe('GET /metrics', () => {
  it('passes Prometheus text on', async () => {
    const { port } = await start({ metrics: async () => 'up 1\n' });
    const answer = await ask(port, '/metrics');
    expect(answer).toMatchObject({ status: 200, body: 'up 1\n' });
    expect(answer.headers['content-type']).toContain('version=0.0.4');
  });

  it('is not there without figures', async () => {
    const { port } = await start();
    expect((await ask(port, '/metrics')).status).toBe(404);
  });
});

describe('GET /swagger/', () => {
  it('serves the page, its files and nothing else of the package', async () => {
    const { port } = await start({ swaggerDirectory: SWAGGER });
    const page = await ask(port, '/swagger/');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect([path, (await ask(port, path ?? '')).status]).toEqual([path, 200]);
    }
    for (const path of ['/swagger/package.json', '/swagger/..%2fpackage.json', '/swagger/__proto__', '/swagger/a/b']) {
      expect([path, (await ask(port, path)).status]).toEqual([path, 404]);
    }
  });

  it('is not there without -dev', async () => {
    const { port } = await start();
    expect((await ask(port, '/swagger/')).status).toBe(404);
    expect((await ask(port, '/swagger/doc.json')).status).toBe(404);
  });
});

describe('every path', () => {
  it.each(['/api/', '/api/nope', '/nope', '//api/query', '/api/query/x', '/API/query', '/%00'])(
    'answers 404 for %s',
    async (path) => {
      const { port, observed } = await start();
      const answer = await ask(port, path, { body: '{}' });
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 'Not Found' });
      expect(observed).toMatchObject([{ route: 'unknown', status: 404 }]);
    },
  );

  it.each([
    ['GET', '/api/write', 'POST'],
    ['DELETE', '/api/write/', 'POST'],
    ['OPTIONS', '/api/write', 'POST'],
    ['PUT', '/api/query', 'GET, HEAD, POST'],
    ['GET', '/api/free/', 'POST'],
    ['POST', '/api/debug', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PROPFIND', '/', 'GET, HEAD'],
    ['GET', '/api/v2/write', 'POST'],
  ])('answers 405 for %s %s', async (method, path, allow) => {
    const { port } = await start();
    const answer = await ask(port, path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
  });

  it('answers HEAD like GET, without the body', async () => {
    const { port } = await start();
    const answer = await ask(port, '/healthz', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(10);
  });

  it('sends the same security headers everywhere', async () => {
    const { port } = await start({ swaggerDirectory: SWAGGER });
    for (const path of ['/', '/nope', '/healthz', '/api/debug', '/api/write', '/swagger/', '/ping']) {
      const { headers } = await ask(port, path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': path === '/' ? 'no-cache' : 'no-store',
      });
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });
});
