/**
 * The write interface of InfluxDB 1 and 2, for Telegraf and InfluxDB's client libraries: `db` or `bucket` is the default
 * cluster. Tokens come as `Authorization: Token <JWT>` or `Bearer <JWT>`.
 */

import type { Precision } from '../../store/store.js';
import { JSON_TYPE, send, sendNothing } from '../answer.js';
import { receiveLines } from '../body/receive.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { refusalText } from '../refusals.js';
import type { HttpContext, Operation, Parameter, Route } from '../route.js';
import { influxQueryRoute } from './influx-query.js';

const precisions: ReadonlyMap<string, Precision> = new Map<string, Precision>([
  ['', 'auto'],
  ['s', 's'],
  ['ms', 'ms'],
  ['us', 'us'],
  ['u', 'us'],
  ['µ', 'us'],
  ['ns', 'ns'],
  ['n', 'ns'],
]);

function precisionOf(exchange: Exchange): Precision {
  const text = exchange.param('precision') ?? '';
  const precision = precisions.get(text);
  if (precision !== undefined) return precision;
  throw new HttpError(400, `precision: expected s, ms, us or ns, got ${JSON.stringify(text)}`);
}

/** InfluxDB's words for a status. */
const codes: Record<number, string> = {
  400: 'invalid',
  401: 'unauthorized',
  405: 'method not allowed',
  413: 'request too large',
  415: 'invalid',
  503: 'unavailable',
};

/** InfluxDB 2 reads `code` and `message`, InfluxDB 1's clients `error`. */
function renderError({ status, message }: HttpError): string {
  return `${JSON.stringify({ code: codes[status] ?? 'internal error', message, error: message })}\n`;
}

function writeOperation(context: HttpContext, name: 'db' | 'bucket', what: string): Operation {
  const further: Parameter[] =
    name === 'bucket'
      ? [{ name: 'org', in: 'query', description: 'ignored', schema: { type: 'string' } }]
      : [{ name: 'rp', in: 'query', description: 'ignored', schema: { type: 'string' } }];
  return {
    async handle(exchange) {
      const precision = precisionOf(exchange);
      // InfluxDB 1.8 names a bucket "database/retention policy".
      const cluster = (exchange.param(name) ?? '').split('/', 1)[0] ?? '';
      const outcome = await receiveLines(exchange, context, cluster, precision, 'all');
      // Telegraf looks for these two words to know that a retry would change nothing.
      if (outcome.refused > 0) throw new HttpError(400, `partial write: ${refusalText(outcome, 'all')}`);
      sendNothing(exchange);
    },
    document: {
      summary: `Store samples as ${what} takes them`,
      parameters: [
        { name, in: 'query', description: 'cluster of lines without a cluster tag', schema: { type: 'string' } },
        ...further,
        {
          name: 'precision',
          in: 'query',
          description: 'unit of the timestamps; absent: recognised by magnitude',
          schema: { type: 'string', enum: ['s', 'ms', 'us', 'u', 'ns', 'n'] },
        },
      ],
      body: { text: 'text/plain', description: 'line protocol, a sample a field; tags become levels by influx.tags' },
      responses: {
        204: { description: 'every line is in the write-ahead log' },
        400: { description: 'some lines were refused, the others are stored' },
        413: { description: 'the body is too long' },
        503: { description: 'nothing was stored, try again' },
      },
    },
  };
}

function pingRoute({ version }: HttpContext): Route {
  const name = `cc-metric-store-${version}`;
  return {
    path: '/ping',
    access: 'open',
    operations: {
      GET: {
        handle: (exchange) => sendNothing(exchange, ['X-Influxdb-Version', name, 'X-Influxdb-Build', 'OSS']),
        document: {
          summary: "InfluxDB's sign of life",
          responses: { 204: { description: 'the header X-Influxdb-Version names this server' } },
        },
      },
    },
  };
}

function healthRoute({ store, version }: HttpContext): Route {
  return {
    path: '/health',
    access: 'open',
    operations: {
      GET: {
        handle(exchange) {
          const ready = store.state === 'ready';
          const status = ready ? 'pass' : 'fail';
          const message = ready ? 'ready for queries and writes' : `the server is ${store.state}`;
          const answer = { name: 'cc-metric-store', message, status, checks: [], version };
          send(exchange, ready ? 200 : 503, JSON_TYPE, `${JSON.stringify(answer)}\n`);
        },
        document: {
          summary: "InfluxDB 2's health",
          responses: {
            200: { description: '{"name", "message", "status": "pass", "checks", "version"}', type: JSON_TYPE },
            503: { description: 'loading or stopping; "status" is "fail"' },
          },
        },
      },
    },
  };
}

export function influxRoutes(context: HttpContext): Route[] {
  return [
    {
      path: '/write',
      access: 'influx',
      renderError,
      operations: { POST: writeOperation(context, 'db', 'InfluxDB 1') },
    },
    {
      path: '/api/v2/write',
      access: 'influx',
      renderError,
      operations: { POST: writeOperation(context, 'bucket', 'InfluxDB 2') },
    },
    influxQueryRoute(context),
    pingRoute(context),
    healthRoute(context),
  ];
}
