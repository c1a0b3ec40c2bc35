import { send } from '../answer.js';
import type { Route } from '../route.js';

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** GET /metrics: the server's own counters. No series, host or sample is in them, so no token is asked for. */
export function metricsRoute(metrics: () => Promise<string>): Route {
  return {
    path: '/metrics',
    access: 'open',
    operations: {
      GET: {
        async handle(exchange) {
          send(exchange, 200, PROMETHEUS_TYPE, await metrics());
        },
        document: {
          summary: "The server's own counters for Prometheus",
          responses: { 200: { description: 'Prometheus text', type: PROMETHEUS_TYPE } },
        },
      },
    },
  };
}
