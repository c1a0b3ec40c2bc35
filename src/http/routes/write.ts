import type { FieldMode } from '../../store/store.js';
import { JSON_TYPE, sendStored } from '../answer.js';
import { receiveLines } from '../body/receive.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { refusalText } from '../refusals.js';
import type { HttpContext, Route } from '../route.js';

function fieldsOf(exchange: Exchange): FieldMode {
  const text = exchange.param('fields') ?? 'value';
  if (text === 'value' || text === 'all') return text;
  throw new HttpError(400, `fields: expected value or all, got ${JSON.stringify(text)}`);
}

/** POST /api/write: line protocol; every good line is stored, also beside bad ones. */
export function writeRoute(context: HttpContext): Route {
  return {
    path: '/api/write',
    access: 'bearer',
    operations: {
      POST: {
        async handle(exchange) {
          const fields = fieldsOf(exchange);
          const outcome = await receiveLines(exchange, context, exchange.param('cluster') ?? '', 'auto', fields);
          if (outcome.refused > 0) throw new HttpError(400, refusalText(outcome, fields));
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
            {
              name: 'fields',
              in: 'query',
              description:
                'value (default): a line has one field of that name; all: a sample a field, tags become levels by influx.tags',
              schema: { type: 'string', enum: ['value', 'all'] },
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
