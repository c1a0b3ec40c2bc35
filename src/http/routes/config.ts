/** GET /api/config: the configuration as it was understood, without its secrets. */
import type { ClusterConfig, Config } from '../../config/config.js';
import { withoutCredentials } from '../../config/problems.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import type { HttpContext, Route } from '../route.js';

/** Member by member: a key that is added to the configuration is not shown before somebody has thought about it. */
function shownConfig({ main, metrics, store, nats, cluster }: Config) {
  return {
    main: {
      host: main.host,
      port: main.port,
      tls: main.tls !== undefined,
      token: main.jwtPublicKey !== undefined,
      backendUrl: main.backendUrl === undefined ? null : withoutCredentials(main.backendUrl),
    },
    metrics: Object.fromEntries(metrics),
    store,
    nats: nats === undefined ? null : { address: withoutCredentials(nats.address) },
    cluster: cluster === undefined ? null : shownCluster(cluster),
  };
}

function shownCluster({ name, id, advertise, partitions, replicas, streamReplicas, ...rest }: ClusterConfig) {
  const { streamMaxBytes, rebalanceAfterSeconds, zone, weight, readConsistency } = rest;
  return {
    ...{ name, id, advertise, partitions, replicas, streamReplicas },
    ...{ streamMaxBytes, rebalanceAfterSeconds, zone, weight, readConsistency },
  };
}

export function configRoute({ config }: HttpContext): Route {
  return {
    path: '/api/config',
    access: 'bearer',
    operations: {
      GET: {
        handle(exchange) {
          sendJson(exchange, 200, shownConfig(config));
        },
        document: {
          summary: 'The configuration as it was understood',
          description:
            'Defaults filled in, spans in seconds, sizes in bytes, no key, user, password or token. "metrics" has frequency, aggregation and precision of every metric.',
          responses: { 200: { description: '{"main", "metrics", "store", "nats", "cluster"}', type: JSON_TYPE } },
        },
      },
    },
  };
}
