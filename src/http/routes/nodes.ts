import { JSON_TYPE, sendJson } from '../answer.js';
import { HttpError } from '../errors.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Route } from '../route.js';
import { sharedFor } from '../shared.js';

/** Listing looks at every series. */
const SHARED_MS = 5_000;

/** GET /api/nodes: the nodes of a cluster, and until when each has samples. */
export function nodesRoute({ store }: HttpContext): Route {
  const nodesOf = sharedFor(SHARED_MS, (cluster) => store.nodes(cluster));
  return {
    path: '/api/nodes',
    access: 'bearer',
    operations: {
      GET: {
        async handle(exchange) {
          requireReady(store);
          const cluster = exchange.param('cluster') ?? '';
          if (cluster === '') throw new HttpError(400, 'the parameter "cluster" is missing: expected its name');
          sendJson(exchange, 200, { time: Date.now() / 1000, nodes: await nodesOf(cluster) });
        },
        document: {
          summary: 'The nodes of a cluster, and until when each has samples',
          description:
            '{"time", "nodes": [{"node", "series", "oldest", "newest", "frequency"}]}, sorted by name, at most 5 s old. "oldest" and "newest" are times of samples; the next one of a node is due "frequency" seconds after its newest.',
          parameters: [
            {
              name: 'cluster',
              in: 'query',
              required: true,
              description: 'name of the cluster; one that is not there has no nodes',
              schema: { type: 'string' },
            },
          ],
          responses: {
            200: { description: 'the nodes; times in unix seconds', type: JSON_TYPE },
            400: { description: 'no cluster is named' },
            503: { description: 'loading or stopping' },
          },
        },
      },
    },
  };
}
