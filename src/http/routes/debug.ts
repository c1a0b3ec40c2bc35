import { type ClusterSummary, StoreError } from '../../store/store.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Route } from '../route.js';
import { sendAnswer } from '../stream.js';

/** The figures of `?summary=1`, by cluster; one cluster when the selector names it. */
function summaryOf(clusters: ClusterSummary[], wanted: string | undefined) {
  const shown = wanted === undefined ? clusters : clusters.filter(({ cluster }) => cluster === wanted);
  if (wanted !== undefined && shown.length === 0) throw new StoreError('NOT_FOUND', `no such cluster: ${wanted}`);
  // `fromEntries` defines members, so a cluster named __proto__ is one like any other.
  return Object.fromEntries(
    shown.map(({ cluster, hosts, series, samples, bytes, blocks }) => [
      cluster,
      { hosts, series, samples, bytes, chunks: blocks },
    ]),
  );
}

/** GET /api/debug: the tree below a selector, or counts. */
export function debugRoute(context: HttpContext): Route {
  const { store } = context;
  return {
    path: '/api/debug',
    access: 'bearer',
    operations: {
      GET: {
        async handle(exchange) {
          requireReady(store);
          const text = exchange.param('selector') ?? '';
          const selector = text === '' ? [] : text.split(':');
          const summary = exchange.param('summary') ?? '';
          if (summary === '' || summary === '0') {
            return sendAnswer(exchange, await store.debug(selector));
          }
          sendJson(exchange, 200, { clusters: summaryOf(await store.summary(), selector[0]) });
        },
        document: {
          summary: 'What is in memory',
          description:
            'The tree of levels and metrics below the selector: {"data": {level: {...}, metric: [{"start", "len", "end"}]}}, times in unix seconds.',
          parameters: [
            {
              name: 'selector',
              in: 'query',
              description: 'cluster:host:level; absent: everything',
              schema: { type: 'string' },
            },
            {
              name: 'summary',
              in: 'query',
              description:
                '1: only hosts, series, samples, bytes and chunks by codec, a cluster: {"clusters": {cluster: {...}}}',
              schema: { type: 'string', enum: ['0', '1'] },
            },
          ],
          responses: {
            200: { description: 'the tree, or the counts', type: JSON_TYPE },
            400: { description: 'the selector names nothing' },
            503: { description: 'loading or stopping' },
          },
        },
      },
    },
  };
}
