import type { NodeHealth } from '../../store/store.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import { readJson } from '../body/json.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Operation, Route } from '../route.js';
import { HealthcheckSchema } from '../schemas.js';

/** As the reference writes it: the metrics are JSON within a JSON string, empty for a node that is not known. */
function nodeAnswer({ state, degraded, missing, known }: NodeHealth) {
  return { State: state, HealthMetrics: known ? JSON.stringify({ degraded, missing }) : '' };
}

/** GET|POST /api/healthcheck: which metrics of which nodes have recent samples. */
export function healthcheckRoute(context: HttpContext): Route {
  const operation: Operation = {
    async handle(exchange) {
      requireReady(context.store);
      const body = await readJson(exchange, context, HealthcheckSchema);
      const list = (names: readonly (string | null)[] | null | undefined) => names?.map((name) => name ?? '') ?? [];
      const health = await context.store.health(body.cluster ?? '', list(body.nodes), list(body['metric-names']));
      // `fromEntries` defines members, so a node named __proto__ is one like any other.
      sendJson(exchange, 200, Object.fromEntries([...health].map(([node, found]) => [node, nodeAnswer(found)])));
    },
    document: {
      summary: 'Which nodes deliver which metrics',
      description:
        'Degraded: the newest sample ends more than 5 frequencies ago. Missing: no sample anywhere below the node. full: neither; failed: no metric is healthy, or the node is unknown; else partial.',
      body: { schema: HealthcheckSchema },
      responses: {
        200: {
          description: '{node: {"State": "full" | "partial" | "failed", "HealthMetrics": "{...}"}}',
          type: JSON_TYPE,
        },
        400: { description: 'the body is not JSON, has unknown keys or wrong types' },
        503: { description: 'loading or stopping' },
      },
    },
  };
  return { path: '/api/healthcheck', access: 'bearer', operations: { GET: operation, POST: operation } };
}
