import { Lane } from '../../base/lane.js';
import type { QueryRequest, SeriesQuery } from '../../store/store.js';
import type { Table } from '../../table/table.js';
import type { Body } from '../body/body.js';
import { jsonOf, readJsonBody } from '../body/json.js';
import { unknownKeyHint } from '../body/unknown-keys.js';
import { formatOf, formatParameter, NOT_ACCEPTABLE, sendTable, TABLE_TYPES } from '../columns.js';
import { ClientGone, HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { requireRunning } from '../ready.js';
import type { HttpContext, Operation, Route } from '../route.js';
import { type QueryBody, QuerySchema, type SeriesQueryBody } from '../schemas.js';
import { sendAnswer } from '../stream.js';

/** Go's int64 as far as a double counts in ones. */
function wholeSeconds(value: number | null | undefined): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value ?? 0));
}

function names(list: readonly (string | null)[] | null | undefined): string[] {
  return list?.map((name) => name ?? '') ?? [];
}

/** Combinations of ids that one query may ask for: a thousand times what a large node has. */
const MAX_COMBINATIONS = 1 << 20;

function checkCombinations({ typeIds, subtype, subtypeIds }: SeriesQuery, index: number): void {
  const subIds = subtype === undefined ? 1 : subtypeIds.length;
  if (typeIds.length * subIds <= MAX_COMBINATIONS) return;
  const asked = `${typeIds.length} type-ids with ${subIds} subtype-ids each`;
  throw new HttpError(400, `queries[${index}]: ${asked}, expected at most ${MAX_COMBINATIONS} combinations`);
}

function toSeriesQuery(body: SeriesQueryBody | null, index: number): SeriesQuery {
  const query: SeriesQuery = {
    metric: body?.metric ?? '',
    host: body?.host ?? '',
    typeIds: names(body?.['type-ids']),
    subtypeIds: names(body?.['subtype-ids']),
    aggregate: body?.aggreg ?? false,
    resolution: wholeSeconds(body?.resolution),
    scaleBy: body?.['scale-by'] ?? 0,
  };
  // An empty type is not the same as none: it stands before the ids, as in the reference.
  if (body?.type != null) query.type = body.type;
  if (body?.subtype != null) query.subtype = body.subtype;
  checkCombinations(query, index);
  return query;
}

/** The protocol's defaults filled in. @throws HttpError 400 when a query asks for too much. */
export function toQueryRequest(body: QueryBody): QueryRequest {
  return {
    cluster: body.cluster ?? '',
    from: wholeSeconds(body.from),
    to: wholeSeconds(body.to),
    queries: body.queries?.map(toSeriesQuery) ?? [],
    forAllNodes: names(body['for-all-nodes']),
    withStats: body['with-stats'] ?? true,
    withData: body['with-data'] ?? true,
    withPadding: body['with-padding'] ?? true,
  };
}

/** What the parameter `consistency` says. @throws HttpError 400 */
function consistencyOf(exchange: Exchange): Pick<QueryRequest, 'isStrong'> {
  const text = exchange.param('consistency');
  if (text === undefined || text === 'session') return {};
  if (text === 'strong') return { isStrong: true };
  throw new HttpError(400, `consistency: expected "session" or "strong", got ${JSON.stringify(text)}`);
}

/** Bytes of a request's body from which on it takes memory worth counting: objects take twenty times as much as their text. */
const LARGE_BODY = 16 << 10;
/** Large requests that are objects at once. The others wait as text. */
const LARGE_AT_ONCE = 2;

function requestOf(exchange: Exchange, body: Body): QueryRequest {
  const query = jsonOf(body, QuerySchema);
  const request = { ...toQueryRequest(query), ...consistencyOf(exchange) };
  const hint = unknownKeyHint(query);
  if (hint !== undefined) exchange.outgoing.setHeader('X-Query-Hint', hint);
  return request;
}

/**
 * What becomes of the exchange's request, which is forgotten once that is there: an answer may take long to be read.
 * @param lane of large requests.
 */
async function answered<T>(
  exchange: Exchange,
  context: HttpContext,
  lane: Lane,
  answer: (request: QueryRequest) => Promise<T>,
): Promise<T> {
  const body = await readJsonBody(exchange, context);
  const { length } = body;
  if (length < LARGE_BODY) return answer(requestOf(exchange, body));
  context.budget.reserve(length);
  try {
    return await lane.run(async () => {
      if (exchange.outgoing.destroyed) throw new ClientGone('the client left before its request was looked at');
      return answer(requestOf(exchange, body));
    });
  } finally {
    context.budget.release(length);
  }
}

async function tableOf(context: HttpContext, request: QueryRequest): Promise<Table> {
  const { queryTable } = await import('../../table/query-table.js');
  return queryTable(context.store, request);
}

/** GET|POST /api/query: cc-backend asks with GET and a JSON body. */
export function queryRoute(context: HttpContext): Route {
  const lane = new Lane(LARGE_AT_ONCE);
  const operation: Operation = {
    async handle(exchange) {
      requireRunning(context.store);
      const format = formatOf(exchange, exchange.param('format') ?? '');
      if (format === 'json') {
        await sendAnswer(exchange, await answered(exchange, context, lane, (request) => context.store.query(request)));
      } else {
        const table = await answered(exchange, context, lane, (request) => tableOf(context, request));
        await sendTable(exchange, format, table);
      }
    },
    document: {
      summary: 'Read series: samples and statistics',
      description:
        'One list an answered query, one entry a series: {"error"?, "data"?, "from", "to", "resolution", "avg", "min", "max"}. GET carries the body too, as cc-backend sends it.',
      parameters: [
        {
          name: 'version',
          in: 'query',
          description: 'accepted for compatibility, changes nothing',
          schema: { type: 'string', enum: ['v1', 'v2'] },
        },
        formatParameter,
        {
          name: 'consistency',
          in: 'query',
          description: 'in a cluster: strong, the answer has everything that was acknowledged anywhere',
          schema: { type: 'string', enum: ['session', 'strong'] },
        },
      ],
      body: { schema: QuerySchema },
      responses: {
        200: { description: '{"queries"?: [...], "results": [[...], ...]}', type: TABLE_TYPES },
        400: { description: 'the body is not JSON or not a query; the error names the place' },
        406: NOT_ACCEPTABLE,
        413: { description: 'the body is too long' },
        503: { description: 'loading, stopping, or too many large questions wait' },
      },
    },
  };
  return { path: '/api/query', access: 'bearer', operations: { GET: operation, POST: operation } };
}
