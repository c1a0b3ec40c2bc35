import { atFullRetention } from '../../config/estimate.js';
import type { Contents } from '../../store/store.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Route } from '../route.js';
import { sharedFor } from '../shared.js';

/** Counting looks at every block. */
const SHARED_MS = 30_000;

/** GET /api/contents: who eats the memory. */
export function contentsRoute(context: HttpContext): Route {
  const { store } = context;
  const contents = sharedFor(SHARED_MS, () => store.contents());
  return {
    path: '/api/contents',
    access: 'bearer',
    operations: {
      GET: {
        async handle(exchange) {
          requireReady(store);
          const cluster = exchange.param('cluster') ?? '';
          const all = await contents('');
          sendJson(exchange, 200, {
            contents: cluster === '' ? all : all.filter((part) => part.cluster === cluster),
            fullRetention: estimateOf(context, all),
          });
        },
        document: {
          summary: 'What is held of each metric, and what it costs',
          description:
            '{"contents": [{"cluster", "metric", "level", "series", "samples", "bytes", "blocks"}], "fullRetention": {"series", "samples", "bytes"}}, at most 30 s old. "level" is the type without its number, empty for the node itself; "blocks" counts sealed blocks by codec. "fullRetention" is what the series of all clusters will come to.',
          parameters: [
            {
              name: 'cluster',
              in: 'query',
              description: 'only of this cluster; absent: of all',
              schema: { type: 'string' },
            },
          ],
          responses: {
            200: { description: 'the counts; sizes in bytes', type: JSON_TYPE },
            503: { description: 'loading or stopping' },
          },
        },
      },
    },
  };
}

/** What the series of now come to once each holds its samples of the whole retention. */
function estimateOf({ config }: HttpContext, contents: readonly Contents[]) {
  const held = new Map<string, number>();
  for (const { metric, series } of contents) held.set(metric, (held.get(metric) ?? 0) + series);
  const { series, samples, bytes } = atFullRetention(config, (metric) => held.get(metric) ?? 0);
  return { series, samples, bytes: Math.round(bytes) };
}
