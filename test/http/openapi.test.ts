import { describe, expect, it } from 'vitest';
import { makeApp, routesOf } from '../../src/http/app.js';
import { ReceiveBudget } from '../../src/http/body/body.js';
import { documentPath } from '../../src/http/openapi.js';
import type { HttpContext } from '../../src/http/route.js';
import { Writers } from '../../src/http/writers.js';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { SWAGGER, start } from './harness.js';
import { MemoryStore } from './memory-store.js';

interface Document {
  openapi: string;
  paths: Record<
    string,
    Record<
      string,
      { requestBody?: { content: Record<string, { schema: Schema }> }; responses: Record<string, unknown> }
    >
  >;
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: boolean;
  description?: string;
}

async function documentOf(): Promise<Document> {
  const { port } = await start({ swaggerDirectory: SWAGGER, metrics: async () => '' });
  return JSON.parse((await ask(port, '/swagger/doc.json')).body) as Document;
}

describe('the OpenAPI document', () => {
  it('has every route of the app, and the app every path of it', async () => {
    const context: HttpContext = {
      store: new MemoryStore(),
      config: configWith(),
      version: '1',
      commit: '1',
      swaggerDirectory: SWAGGER,
      pageDirectory: '',
      log: { err: () => {} },
      startedAt: 0,
      authenticator: undefined,
      budget: new ReceiveBudget(0),
      ownSockets: new WeakSet(),
      writers: new Writers(),
      metrics: async () => '',
      nats: undefined,
      units: undefined,
      healthDetail: undefined,
      observe: undefined,
      observeQuery: undefined,
      cluster: undefined,
    };
    const app = makeApp(routesOf(context), context);
    const served = app.routes.map(({ path }) => documentPath(path));
    expect(Object.keys((await documentOf()).paths).sort()).toEqual(served.sort());
  });

  it('documents exactly the methods that are allowed', async () => {
    const { port } = await start({ swaggerDirectory: SWAGGER, metrics: async () => '' });
    const { paths } = await documentOf();
    for (const [path, methods] of Object.entries(paths)) {
      const { status, headers } = await ask(port, path.replace(/{\w+}/, 'x'), { method: 'PATCH' });
      const allowed = headers.allow?.split(', ').filter((method) => method !== 'HEAD');
      expect([path, status, allowed]).toEqual([path, 405, Object.keys(methods).map((method) => method.toUpperCase())]);
    }
  });

  it('describes the bodies with the schemas that check them', async () => {
    const { openapi, paths } = await documentOf();
    expect(openapi).toBe('3.1.0');
    const schemaOf = (path: string, method: string) =>
      paths[path]?.[method]?.requestBody?.content['application/json']?.schema;
    const query = schemaOf('/api/query', 'get');
    expect(query).toEqual(schemaOf('/api/query', 'post'));
    expect(Object.keys(query?.properties ?? {})).toEqual([
      'cluster',
      'from',
      'to',
      'queries',
      'for-all-nodes',
      'with-stats',
      'with-data',
      'with-padding',
    ]);
    expect(query?.properties?.from).toMatchObject({
      anyOf: [{ type: 'integer' }, { type: 'null' }],
      description: 'unix seconds',
    });
    const series = query?.properties?.queries?.anyOf?.[0]?.items?.anyOf?.[0];
    expect(series?.properties).toHaveProperty('type-ids');
    expect(schemaOf('/api/healthcheck', 'get')).toMatchObject({ type: 'object', additionalProperties: false });
    expect(schemaOf('/api/free', 'post')).toMatchObject({
      type: 'array',
      items: { type: 'array', items: { type: 'string' } },
    });
  });
});
