import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { type Bindings, dispatcher, notFoundDispatcher } from './dispatch.js';
import type { HttpContext, Route } from './route.js';
import { clusterRoutes } from './routes/cluster.js';
import { configRoute } from './routes/config.js';
import { contentsRoute } from './routes/contents.js';
import { debugRoute } from './routes/debug.js';
import { freeRoute } from './routes/free.js';
import { healthcheckRoute } from './routes/healthcheck.js';
import { healthzRoute } from './routes/healthz.js';
import { influxRoutes } from './routes/influx.js';
import { metricsRoute } from './routes/metrics.js';
import { metricsSeenRoute } from './routes/metrics-seen.js';
import { nodesRoute } from './routes/nodes.js';
import { pageRoutes } from './routes/page.js';
import { prometheusRoutes } from './routes/prometheus/index.js';
import { queryRoute } from './routes/query.js';
import { statusRoute } from './routes/status.js';
import { swaggerRoutes } from './routes/swagger.js';
import { writeRoute } from './routes/write.js';
import { writersRoute } from './routes/writers.js';

/** Every route of this server. */
export function routesOf(context: HttpContext): Route[] {
  const routes: Route[] = [
    writeRoute(context),
    queryRoute(context),
    healthcheckRoute(context),
    debugRoute(context),
    freeRoute(context),
    nodesRoute(context),
    contentsRoute(context),
    metricsSeenRoute(context),
    statusRoute(context),
    writersRoute(context),
    configRoute(context),
    healthzRoute(context),
    ...(context.metrics === undefined ? [] : [metricsRoute(context.metrics)]),
    ...(context.cluster === undefined ? [] : clusterRoutes(context, context.cluster)),
    ...influxRoutes(context),
    ...prometheusRoutes(context),
    ...pageRoutes(context.pageDirectory),
    ...(context.swaggerDirectory === undefined
      ? []
      : swaggerRoutes(context.swaggerDirectory, () => documentOf(routes, context))),
  ];
  return routes;
}

/** The OpenAPI document of these routes. */
async function documentOf(routes: readonly Route[], context: HttpContext): Promise<unknown> {
  const { openApiDocument } = await import('./openapi.js');
  return openApiDocument(routes, context.version, context.authenticator !== undefined);
}

/** V8 settles what objects of a class look like at the seventh; one more is to be sure. */
const SETTLING_INSTANCES = 8;

/**
 * Makes V8 settle what Hono's contexts look like before any request. It gives them room for the fields that it has seen, and
 * forgets what it has seen in a garbage collection that finds none alive. One after the sixth request, such as the start's
 * own, made all later contexts hash tables: 50 µs a request, 15 % of what the main thread does for a write.
 */
function settleContexts(): void {
  const app = new Hono().all('*', () => RESPONSE_ALREADY_SENT);
  const request = { method: 'GET', url: 'http://localhost/' } as Request;
  for (let i = 0; i < SETTLING_INSTANCES; i++) void app.fetch(request);
}

/**
 * The routes on Hono. One handler a path for all methods: Hono calls a lone handler directly, without the chain that
 * several matching handlers or a middleware would need.
 */
export function makeApp(routes: readonly Route[], context: HttpContext): Hono<Bindings> {
  settleContexts();
  const app = new Hono<Bindings>({ strict: false });
  for (const route of routes) app.all(route.path, dispatcher(route, context));
  app.notFound(notFoundDispatcher(context));
  return app;
}
