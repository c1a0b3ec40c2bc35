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
      {
        parameters?: { name: string; in: string }[];
        requestBody?: { content: Record<string, { schema: Schema }> };
        responses: Record<string, { content?: Record<string, { schema?: { $ref?: string } }> }>;
      }
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

  it("describes Prometheus's routes: parameters in the URL and in a form, the types of answers, the shape of errors", async () => {
    const { paths } = await documentOf();
    const range = paths['/api/v1/query_range'];
    expect(Object.keys(range?.get?.responses[200]?.content ?? {})).toEqual([
      'application/json',
      'application/vnd.apache.arrow.stream',
      'application/vnd.apache.parquet',
      'text/csv',
    ]);
    expect(range?.get?.requestBody).toBeUndefined();
    const form = range?.post?.requestBody?.content['application/x-www-form-urlencoded']?.schema;
    expect(Object.keys(form?.properties ?? {})).toEqual(range?.get?.parameters?.map(({ name }) => name));
    expect(form?.properties).toHaveProperty('lookback_delta');
    const values = paths['/api/v1/label/{name}/values']?.post;
    expect(values?.parameters?.[0]).toMatchObject({ name: 'name', in: 'path', required: true });
    const match = { type: 'array', items: { type: 'string' } };
    expect(values?.requestBody?.content['application/x-www-form-urlencoded']?.schema.properties).toMatchObject({
      'match[]': match,
    });
    const shapeOf = (path: string, status: number) =>
      paths[path]?.get?.responses[status]?.content?.['application/json']?.schema?.$ref;
    for (const status of [400, 422, 503]) {
      expect(shapeOf('/api/v1/query', status)).toBe('#/components/schemas/PrometheusError');
    }
    expect(shapeOf('/api/query', 400)).toBe('#/components/schemas/Error');
  });
});
