/** GET /api/metrics-seen: metrics that arrive without being configured, and what could be configured for them. */
import { suggestedMetric } from '../../config/suggested-metric.js';
import type { UnconfiguredMetric } from '../../store/store.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import { requireReady } from '../ready.js';
import type { HttpContext, Route } from '../route.js';

function shown({ metric, samples, step, levels, newest, example }: UnconfiguredMetric) {
  return { metric, samples, frequency: step || null, levels: levels.map((level) => level || 'node'), newest, example };
}

/** Entries for "metrics" of the configuration, of those whose frequency is known. */
function suggestions(metrics: readonly UnconfiguredMetric[]) {
  return Object.fromEntries(
    metrics
      .filter(({ step }) => step > 0)
      .map(({ metric, step, levels }) => [metric, suggestedMetric(metric, step, levels.some(Boolean))]),
  );
}

export function metricsSeenRoute({ store }: HttpContext): Route {
  return {
    path: '/api/metrics-seen',
    access: 'bearer',
    operations: {
      GET: {
        async handle(exchange) {
          requireReady(store);
          const { metrics, forgotten } = await store.unconfigured();
          sendJson(exchange, 200, { unconfigured: metrics.map(shown), forgotten, metrics: suggestions(metrics) });
        },
        document: {
          summary: 'Metrics that arrive without being configured',
          description:
            '{"unconfigured": [{"metric", "samples", "frequency", "levels", "newest", "example"}], "forgotten", "metrics"}, since the start. "frequency" is the least time between two samples of a series, null while only one came; "newest" is when the last sample came; "example" is the start of a line. "metrics" has entries for the configuration; the aggregation is guessed from the name. At most 512 names a partition are remembered; "forgotten" counts those that gave way to others.',
          responses: {
            200: { description: 'the metrics, by name; times in seconds', type: JSON_TYPE },
            503: { description: 'loading or stopping' },
          },
        },
      },
    },
  };
}
