import { JSON_TYPE, sendJson } from '../answer.js';
import type { HttpContext, Route } from '../route.js';

/** GET /api/writers: who writes over HTTP, by address. */
export function writersRoute({ writers }: HttpContext): Route {
  return {
    path: '/api/writers',
    access: 'bearer',
    operations: {
      GET: {
        handle: (exchange) => sendJson(exchange, 200, { time: Date.now() / 1000, writers: writers.figures() }),
        document: {
          summary: 'Who writes over HTTP, by address',
          description:
            '{"time", "writers": [{"address", "writes", "stored", "refused", "last", "error"}]}, the latest first, since start, the 1024 that wrote last. "error" is {"time", "text"} of what went wrong last, or null. Requests without a valid token are not in it.',
          responses: { 200: { description: 'the writers; times in unix seconds', type: JSON_TYPE } },
        },
      },
    },
  };
}
