/**
 * InfluxDB 1's `/query`, for what writers ask before they write: `CREATE DATABASE` (Telegraf does) and `SHOW DATABASES`. A
 * database is a cluster, so there is nothing to create: it is there with its first sample.
 */
import { JSON_TYPE, send } from '../answer.js';
import { readBody } from '../body/body.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { HttpContext, Operation, Route } from '../route.js';

const MAX_BODY_BYTES = 64 << 10;
const MAX_STATEMENTS = 100;
const NAME = String.raw`(?:"(?:[^"\\]|\\.)+"|[A-Za-z_]\w*)`;
const CREATE = new RegExp(String.raw`^create\s+database\s+${NAME}(?:\s+with\s+[^;]*)?$`, 'i');
const SHOW = /^show\s+databases$/i;

export function influxQueryRoute(context: HttpContext): Route {
  const operation: Operation = {
    async handle(exchange) {
      const statements = await readStatements(exchange, context);
      const results = await Promise.all(statements.map((statement, i) => answer(statement, i, context)));
      send(exchange, 200, JSON_TYPE, `${JSON.stringify({ results })}\n`);
    },
    document: {
      summary: "InfluxDB 1's statements CREATE DATABASE and SHOW DATABASES",
      parameters: [
        {
          name: 'q',
          in: 'query',
          description: 'statements, separated by semicolons; may also stand in a form as body',
          schema: { type: 'string' },
        },
      ],
      responses: {
        200: { description: '{"results": [{"statement_id", "series"?}]}', type: JSON_TYPE },
        400: { description: 'another statement, or none' },
      },
    },
  };
  return {
    path: '/query',
    access: 'influx',
    renderError: ({ message }) => `${JSON.stringify({ error: message })}\n`,
    operations: { GET: operation, POST: operation },
  };
}

async function readStatements(exchange: Exchange, { budget }: HttpContext): Promise<string[]> {
  let text = exchange.param('q') ?? '';
  const body = await readBody(exchange, MAX_BODY_BYTES, (bytes) => new ArrayBuffer(bytes), budget);
  if (text === '') text = new URLSearchParams(Buffer.from(body.buffer, 0, body.length).toString()).get('q') ?? '';
  const statements = text
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  if (statements.length === 0) throw new HttpError(400, 'missing required parameter "q"');
  if (statements.length > MAX_STATEMENTS) throw new HttpError(400, `q: expected at most ${MAX_STATEMENTS} statements`);
  return statements;
}

async function answer(statement: string, id: number, { store }: HttpContext): Promise<object> {
  if (CREATE.test(statement)) return { statement_id: id };
  if (!SHOW.test(statement)) {
    const shown = JSON.stringify(statement.slice(0, 100));
    throw new HttpError(
      400,
      `error parsing query: expected CREATE DATABASE or SHOW DATABASES, found ${shown}; samples are read with /api/query`,
    );
  }
  const values = (await store.clusters()).map((name) => [name]);
  return { statement_id: id, series: [{ name: 'databases', columns: ['name'], values }] };
}
