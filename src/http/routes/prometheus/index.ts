/**
 * Prometheus's HTTP API, as Grafana's data source, promtool and others ask it. What it needs is read when it is first asked.
 */

import { JSON_TYPE, send, TEXT_TYPE } from '../../answer.js';
import { formatParameter, NOT_ACCEPTABLE, TABLE_TYPES } from '../../columns.js';
import type { Exchange } from '../../exchange.js';
import { requireReady } from '../../ready.js';
import type { HttpContext, Method, Operation, Parameter, Route } from '../../route.js';
import { renderPrometheusError } from './errors.js';
import type { Handlers } from './handlers.js';

/** The API that clients may take us for. */
const VERSION = '3.14.0';

const texts: Record<string, string> = {
  query: 'the PromQL expression',
  time: 'unix seconds or RFC 3339; absent: now',
  start: 'unix seconds or RFC 3339',
  end: 'unix seconds or RFC 3339',
  step: 'seconds, or a duration such as 1m',
  timeout: 'seconds or a duration; at most promql.timeout counts',
  limit: 'series or names at most; 0: all',
  lookback_delta: 'how far back selectors look: seconds or a duration',
  stats: 'any text: statistics of the query in the answer',
  'match[]': 'a selector; may be repeated, any of them is enough',
  metric: 'one metric only',
  consistency: 'in a cluster: strong, the answer has everything that was acknowledged anywhere',
  limit_per_metric: 'entries of a metric at most',
};

function schemaOf(name: string): Parameter['schema'] {
  if (name === 'match[]') return { type: 'array', items: { type: 'string' } };
  return { type: name.startsWith('limit') ? 'integer' : 'string' };
}

function parameter(name: string): Parameter {
  return { name, in: 'query', description: texts[name] ?? '', schema: schemaOf(name) };
}

const labelName: Parameter = {
  name: 'name',
  in: 'path',
  description: 'of the label; U__... as Prometheus escapes names',
  required: true,
  schema: { type: 'string' },
};

const responses = {
  200: { description: '{"status": "success", "data": ..., "warnings"?: [...], "infos"?: [...]}', type: JSON_TYPE },
  400: { description: 'a parameter is wrong; the error names it, and the place in a query' },
  422: { description: 'the query is right, but fails with this data or needs too much memory' },
  503: { description: 'loading, stopping, too many queries, or the query took too long' },
};

/** A range query may be answered in columns. */
const tableResponses = { ...responses, 200: { ...responses[200], type: TABLE_TYPES }, 406: NOT_ACCEPTABLE };

/** A form may have what the URL has. */
const FORM_ERRORS = {
  413: { description: 'the form is longer than 1 MiB' },
  415: { description: 'the body is no form, or compressed otherwise than with gzip' },
};

type Handle = (handlers: Handlers, exchange: Exchange) => Promise<void>;

/** All routes below /api/v1, and the two below /-/. */
export function prometheusRoutes(context: HttpContext): Route[] {
  let made: Promise<Handlers> | undefined;
  const handlers = (): Promise<Handlers> => {
    made ??= import('./handlers.js').then(({ Handlers }) => new Handlers(context));
    return made;
  };

  /** @param names of the parameters in the URL. */
  function route(path: string, methods: Method[], names: string, summary: string, handler: Handle): Route {
    const handle: Operation['handle'] = async (exchange) => {
      requireReady(context.store);
      await handler(await handlers(), exchange);
    };
    const all = names.split(' ').map((name) => (name === 'format' ? formatParameter : parameter(name)));
    if (path.includes(':name')) all.unshift(labelName);
    const document = { summary, parameters: all, responses: names.includes('format') ? tableResponses : responses };
    const form = { ...document, body: { form: all }, responses: { ...document.responses, ...FORM_ERRORS } };
    return routeOf(path, methods, { GET: { handle, document }, POST: { handle, document: form } });
  }

  function fixed(path: string, methods: Method[], summary: string, data: unknown): Route {
    const text = JSON.stringify({ status: 'success', data });
    const operation: Operation = {
      handle: async (exchange) => {
        requireReady(context.store);
        const { sendText } = await import('./answer.js');
        sendText(exchange, text);
      },
      document: { summary, responses: { 200: responses[200], 503: responses[503] } },
    };
    return routeOf(path, methods, { GET: operation, POST: operation });
  }

  const common = 'timeout limit lookback_delta stats consistency';
  const both: Method[] = ['GET', 'POST'];
  const build = { version: VERSION, revision: context.commit, branch: '', buildUser: '', buildDate: '', goVersion: '' };
  return [
    route('query', both, `query time ${common}`, 'PromQL at one time', (all, exchange) => all.query(exchange)),
    route('query_range', both, `query start end step ${common} format`, 'PromQL at many times', (all, exchange) =>
      all.queryRange(exchange),
    ),
    route('series', both, 'match[] start end limit consistency', 'Series by their labels', (all, exchange) =>
      all.series(exchange),
    ),
    route('labels', both, 'match[] start end limit consistency', 'Names of labels', (all, exchange) =>
      all.labels(exchange),
    ),
    route('label/:name/values', both, 'match[] start end limit consistency', 'Values of a label', (all, exchange) =>
      all.labelValues(exchange),
    ),
    route('metadata', ['GET'], 'metric limit limit_per_metric', 'Units of metrics', (all, exchange) =>
      all.metadata(exchange),
    ),
    fixed('query_exemplars', both, 'Exemplars: there are none', []),
    fixed('rules', ['GET'], 'Rules: there are none', { groups: [] }),
    fixed('alerts', ['GET'], 'Alerts: there are none', { alerts: [] }),
    fixed('status/buildinfo', ['GET'], 'What answers here', { ...build, application: 'cc-metric-store' }),
    probe('/-/healthy', context),
    probe('/-/ready', context),
  ];
}

function routeOf(path: string, methods: readonly Method[], operations: Record<Method, Operation>): Route {
  return {
    path: `/api/v1/${path}`,
    access: 'bearer',
    operations: Object.fromEntries(methods.map((method) => [method, operations[method]])),
    renderError: renderPrometheusError,
  };
}

/** What /healthz says, where Prometheus's clients look for it. */
function probe(path: string, { store }: HttpContext): Route {
  return {
    path,
    access: 'open',
    operations: {
      GET: {
        handle(exchange) {
          requireReady(store);
          send(exchange, 200, TEXT_TYPE, 'OK\n');
        },
        document: {
          summary: 'Ready for traffic?',
          responses: { 200: { description: 'yes', type: TEXT_TYPE }, 503: { description: 'loading, or stopping' } },
        },
      },
    },
  };
}
