import { STATUS_CODES } from 'node:http';
import { JSON_TYPE, send, sendJson } from '../answer.js';
import type { HttpContext, Route } from '../route.js';

/** GET /healthz: 200 once checkpoints are loaded, 503 before and while stopping. */
export function healthzRoute(context: HttpContext): Route {
  return {
    path: '/healthz',
    access: 'open',
    operations: {
      GET: {
        handle(exchange) {
          const { state } = context.store;
          const detail = context.healthDetail?.() ?? {};
          if (state === 'ready') return sendJson(exchange, 200, { status: 'OK', state, ...detail });
          const error = state === 'loading' ? 'the checkpoints are still being read' : 'the server is stopping';
          const body = JSON.stringify({ status: STATUS_CODES[503], error, state, ...detail });
          send(exchange, 503, JSON_TYPE, `${body}\n`, [
            'Retry-After',
            String(Math.max(1, context.store.secondsToReady)),
          ]);
        },
        document: {
          summary: 'Is the server ready?',
          responses: {
            200: { description: 'ready for writes and queries', type: JSON_TYPE },
            503: { description: 'loading checkpoints, or stopping' },
          },
        },
      },
    },
  };
}
