import { Hono } from 'hono';
import { type Bindings, dispatcher, notFoundDispatcher } from './dispatch.js';
import type { HttpContext, Route } from './route.js';
import { healthzRoute } from './routes/healthz.js';
import { queryRoute } from './routes/query.js';
import { writeRoute } from './routes/write.js';

/** Every route of this server. */
export function routesOf(context: HttpContext): Route[] {
  const routes = [writeRoute(context), queryRoute(context), healthzRoute(context)];
  return routes;
}

/**
 * The routes on Hono. One handler a path for all methods: Hono calls a lone handler directly, without the chain that
 * several matching handlers or a middleware would need.
 */
export function makeApp(routes: readonly Route[], context: HttpContext): Hono<Bindings> {
  const app = new Hono<Bindings>({ strict: false });
  for (const route of routes) app.all(route.path, dispatcher(route, context));
  app.notFound(notFoundDispatcher(context));
  return app;
}
