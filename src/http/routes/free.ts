import { send, TEXT_TYPE } from '../answer.js';
import { readJson } from '../body/json.js';
import { HttpError } from '../errors.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Route } from '../route.js';
import { FreeSchema } from '../schemas.js';

const INTEGER = /^[+-]?\d{1,15}$/;

/** Unix seconds of the query parameter `to`. */
function parseTo(text: string | undefined): number {
  if (text === undefined || text === '') throw new HttpError(400, "'to' is a required query parameter");
  if (INTEGER.test(text)) return Number(text);
  throw new HttpError(400, `to: expected unix seconds as an integer, got ${JSON.stringify(text)}`);
}

/** POST /api/free: frees whole blocks that end before `to` below each selector of the body. */
export function freeRoute(context: HttpContext): Route {
  return {
    path: '/api/free',
    access: 'bearer',
    operations: {
      POST: {
        async handle(exchange) {
          requireReady(context.store);
          const to = parseTo(exchange.param('to'));
          const selectors = await readJson(exchange, context, FreeSchema);
          send(exchange, 200, TEXT_TYPE, `buffers freed: ${await context.store.free(to, selectors)}\n`);
        },
        document: {
          summary: 'Free samples from memory',
          description: 'Frees whole blocks that end before a time, below each selector; nothing newer than it.',
          parameters: [
            {
              name: 'to',
              in: 'query',
              required: true,
              description: 'unix seconds',
              schema: { type: 'integer' },
            },
          ],
          body: { schema: FreeSchema },
          responses: {
            200: { description: 'buffers freed: N', type: TEXT_TYPE },
            400: { description: 'no or bad time or body' },
            503: { description: 'loading or stopping' },
          },
        },
      },
    },
  };
}
