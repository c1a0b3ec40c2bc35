/**
 * One request from routing to the last byte: method, authentication, handler, error answer, observation. Handlers write
 * to Node's raw answer, so Hono and its adapter route and do nothing else; no Response is made.
 */

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { JSON_TYPE, send } from './answer.js';
import { ClientGone, errorBody, HttpError, toHttpError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { HttpContext, Method, Route } from './route.js';
import { renderPrometheusError } from './routes/prometheus/errors.js';

/** What Hono's adapter passes beside the request. */
export type Bindings = { Bindings: Pick<Exchange, 'incoming' | 'outgoing'> };

function exchangeOf(c: Context<Bindings>, { cluster }: HttpContext): Exchange {
  return {
    incoming: c.env.incoming,
    outgoing: c.env.outgoing,
    param: (name) => c.req.query(name),
    segment: (name) => c.req.param(name),
    received: 0,
    sent: 0,
    staleSeconds: cluster?.staleness(),
  };
}

/** Methods a route answers, as `Allow` lists them. HEAD is GET without the body. */
export function allowedMethods(route: Route): string {
  return Object.keys(route.operations)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');
}

function operationOf(route: Route, method: string | undefined) {
  const name = method === 'HEAD' ? 'GET' : method;
  const operation = Object.hasOwn(route.operations, name ?? '') ? route.operations[name as Method] : undefined;
  if (operation !== undefined) return operation;
  const allow = allowedMethods(route);
  throw new HttpError(405, `${method} is not allowed on ${route.path}, only ${allow}`, ['Allow', allow]);
}

/** What nginx logs for a client that closed its request; nobody gets to see it. */
const CLIENT_GONE = 499;

/** Answers with the error, unless it is too late for that. Returns the status to be counted. */
function answerError(exchange: Exchange, context: HttpContext, error: unknown, render: (error: HttpError) => string) {
  if (error instanceof ClientGone) {
    exchange.outgoing.destroy();
    return CLIENT_GONE;
  }
  const failure = toHttpError(error);
  if (failure.status === 500) {
    context.log.err(`${exchange.incoming.method} ${exchange.incoming.url?.split('?', 1)[0]} failed`, failure.cause);
  }
  if (exchange.outgoing.headersSent) {
    exchange.outgoing.destroy();
  } else {
    send(exchange, failure.status, JSON_TYPE, render(failure), failure.headers);
  }
  return failure.status;
}

async function run(exchange: Exchange, route: Route, context: HttpContext): Promise<void> {
  const started = performance.now();
  const own = context.ownSockets.has(exchange.incoming.socket);
  let status: number;
  try {
    const operation = operationOf(route, exchange.incoming.method);
    if (route.access !== 'open' && context.authenticator !== undefined && !own) {
      await context.authenticator.check(exchange.incoming.headers.authorization, route.access);
    }
    await operation.handle(exchange);
    status = exchange.outgoing.statusCode;
  } catch (error) {
    const render = route.renderError ?? ((failure: HttpError) => errorBody(failure.status, failure.message));
    status = answerError(exchange, context, error, render);
  }
  if (own) return;
  const seconds = (performance.now() - started) / 1000;
  context.observe?.(route.path, seconds, status, exchange.received + exchange.sent);
}

/** The Hono handler of a route, for all methods. */
export function dispatcher(route: Route, context: HttpContext) {
  return (c: Context<Bindings>): Response => {
    const exchange = exchangeOf(c, context);
    // Not awaited: the adapter has nothing left to do, and `run` answers every failure itself. What is left is a BUG.
    run(exchange, route, context).catch((error: unknown) => {
      context.log.err(`BUG: answering ${route.path} failed`, error);
      exchange.outgoing.destroy();
    });
    return RESPONSE_ALREADY_SENT;
  };
}

/** The Hono handler of paths that no route has. */
export function notFoundDispatcher(context: HttpContext) {
  return (c: Context<Bindings>): Response => {
    const exchange = exchangeOf(c, context);
    const message = `no such path: ${c.req.path}`;
    const prometheus = c.req.path.startsWith('/api/v1/');
    const render = prometheus ? renderPrometheusError : (e: HttpError) => errorBody(e.status, e.message);
    answerError(exchange, context, new HttpError(404, message), render);
    context.observe?.('unknown', 0, 404, exchange.sent);
    return RESPONSE_ALREADY_SENT;
  };
}
