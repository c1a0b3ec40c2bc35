/** GET /api/config: the configuration as it was understood, without its secrets. */
import type { Config } from '../../config/config.js';
import { withoutCredentials } from '../../config/problems.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import type { HttpContext, Route } from '../route.js';

/** Member by member: a key that is added to the configuration is not shown before somebody has thought about it. */
function shownConfig({ main, metrics, store, nats }: Config) {
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
          responses: { 200: { description: '{"main", "metrics", "store", "nats"}', type: JSON_TYPE } },
        },
      },
    },
  };
}
