/**
 * The routes of a cluster: what administrators look at and do, and what the other stores ask. The latter carry no token of a user
 * but a signature with the stores' secret; what they say is the cluster's own matter (src/cluster/peers/door.ts).
 */
import { BINARY_TYPE, JSON_TYPE, send, sendJson, TEXT_TYPE } from '../answer.js';
import { readBody } from '../body/body.js';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { ClusterApi, HttpContext, OperationDocument, Route } from '../route.js';
import { sendPieces } from '../stream.js';

/** Bytes of a request of another store. */
const MOST_BYTES = 64 << 20;
const NOTHING = new Uint8Array(0);
const WHOLE = /^\d{1,4}$/;

const internal = (summary: string): OperationDocument => ({
  summary,
  description: 'For other stores of the cluster only.',
  responses: {
    200: { description: 'as the stores agree', type: BINARY_TYPE },
    401: { description: 'not signed with the secret of the cluster' },
  },
});

/** @throws HttpError 401 unless the request is one of another store. */
function authorize({ incoming }: Exchange, cluster: ClusterApi, body: Uint8Array): void {
  const { method = '', url = '', headers } = incoming;
  const problem = cluster.problem(method, url, headers.authorization, body);
  if (problem !== undefined) throw new HttpError(401, problem, ['WWW-Authenticate', 'Ccms']);
}

function partitionOf(exchange: Exchange, text: string | undefined): number {
  if (text !== undefined && WHOLE.test(text)) return Number(text);
  throw new HttpError(400, `partition: expected a whole number, got ${JSON.stringify(text ?? exchange.incoming.url)}`);
}

/** A request whose body is a message, and its answer another one. */
function messageRoute(
  context: HttpContext,
  cluster: ClusterApi,
  what: 'query' | 'call' | 'snapshot',
  summary: string,
): Route {
  return {
    path: `/cluster/v1/${what}`,
    access: 'open',
    operations: {
      POST: {
        async handle(exchange) {
          const { buffer, length } = await readBody(
            exchange,
            MOST_BYTES,
            (bytes) => new ArrayBuffer(bytes),
            context.budget,
          );
          const body = new Uint8Array(buffer, 0, length);
          authorize(exchange, cluster, body);
          send(exchange, 200, BINARY_TYPE, await cluster.answer(what, body));
        },
        document: internal(summary),
      },
    },
  };
}

/** @param source undefined: 404. */
async function sendParts(exchange: Exchange, source: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  if (!source) throw new HttpError(404, 'there is no such thing (any more)');
  await sendPieces(exchange, source[Symbol.asyncIterator](), BINARY_TYPE);
}

export function clusterRoutes(context: HttpContext, cluster: ClusterApi): Route[] {
  return [
    {
      path: '/api/cluster',
      access: 'bearer',
      operations: {
        GET: {
          handle: (exchange) => sendJson(exchange, 200, cluster.status()),
          document: {
            summary: 'Members, partitions and copies of the cluster',
            description: 'As this store sees them. `lag`, `seen` and `clockAhead` (of NATS) in seconds.',
            responses: { 200: { description: 'the state of the cluster', type: JSON_TYPE } },
          },
        },
      },
    },
    {
      path: '/api/cluster/drain',
      access: 'bearer',
      operations: {
        POST: {
          async handle(exchange) {
            await cluster.drain();
            send(exchange, 200, TEXT_TYPE, 'draining: other stores take the partitions over; see /api/cluster\n');
          },
          document: {
            summary: 'Give all partitions to other stores',
            description: 'Stop the store once it holds none. A start undoes it.',
            responses: { 200: { description: 'it has begun', type: TEXT_TYPE } },
          },
        },
      },
    },
    {
      path: '/api/cluster/accept-loss',
      access: 'bearer',
      operations: {
        POST: {
          handle(exchange) {
            const partition = partitionOf(exchange, exchange.param('partition'));
            const problem = cluster.acceptLoss(partition);
            if (problem) throw new HttpError(400, `partition: ${problem}`);
            send(exchange, 200, TEXT_TYPE, `partition ${partition} goes on with what its stream has\n`);
          },
          document: {
            summary: 'Go on without what is lost of a partition',
            description: 'When all stores that held it are lost with their disks.',
            parameters: [
              {
                name: 'partition',
                in: 'query',
                required: true,
                description: 'its number',
                schema: { type: 'integer' },
              },
            ],
            responses: {
              200: { description: 'it goes on', type: TEXT_TYPE },
              400: { description: 'no such partition' },
            },
          },
        },
      },
    },
    messageRoute(context, cluster, 'query', 'Questions to partitions'),
    messageRoute(context, cluster, 'call', 'A call of a partition'),
    messageRoute(context, cluster, 'snapshot', 'What a partition is copied from'),
    {
      path: '/cluster/v1/pieces/:token',
      access: 'open',
      operations: {
        GET: {
          async handle(exchange) {
            authorize(exchange, cluster, NOTHING);
            await sendParts(exchange, cluster.rest(exchange.segment('token') ?? ''));
          },
          document: internal('The rest of an answer'),
        },
      },
    },
    {
      path: '/cluster/v1/files/:partition/:name',
      access: 'open',
      operations: {
        GET: {
          async handle(exchange) {
            authorize(exchange, cluster, NOTHING);
            const partition = partitionOf(exchange, exchange.segment('partition'));
            await sendParts(exchange, cluster.file(partition, exchange.segment('name') ?? ''));
          },
          document: internal('A file of a partition'),
        },
      },
    },
  ];
}
