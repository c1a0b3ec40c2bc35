import { JSON_TYPE, sendStored } from '../answer.js';
import { HttpError } from '../errors.js';
import { receiveLines } from '../receive.js';
import { refusalText } from '../refusals.js';
import type { HttpContext, Route } from '../route.js';

/** POST /api/write: line protocol; every good line is stored, also beside bad ones. */
export function writeRoute(context: HttpContext): Route {
  return {
    path: '/api/write',
    access: 'bearer',
    operations: {
      POST: {
        async handle(exchange) {
          const outcome = await receiveLines(exchange, context, exchange.param('cluster') ?? '', 'auto');
          if (outcome.refused > 0) throw new HttpError(400, refusalText(outcome));
          sendStored(exchange);
        },
        document: {
          summary: 'Store samples in InfluxDB line protocol',
          description:
            'Tags cluster, hostname (or host), type, type-id, stype, stype-id; one field, value; timestamp in s, ms, us or ns. Content-Encoding gzip is accepted.',
          parameters: [
            {
              name: 'cluster',
              in: 'query',
              description: 'cluster of lines without a cluster tag',
              schema: { type: 'string' },
            },
          ],
          body: { text: 'text/plain', description: 'one sample a line' },
          responses: {
            200: {
              description: 'every line is in the write-ahead log (lines of unknown metrics are skipped)',
              type: JSON_TYPE,
            },
            400: { description: 'some lines were refused, the others are stored; the error names the first of them' },
            413: { description: 'the body is longer than metric-store.max-body-size' },
            415: { description: 'Content-Encoding other than gzip' },
            503: { description: 'nothing was stored: overloaded, loading, stopping, or the log cannot be written' },
          },
        },
      },
    },
  };
}
