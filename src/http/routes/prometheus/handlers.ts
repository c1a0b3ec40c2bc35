/** What the routes of Prometheus's API do. */

import type { QueryOptions, QueryResult } from '../../../promql/engine.js';
import { compareText } from '../../../promql/evaluate/labels.js';
import { quote } from '../../../promql/parse/quote.js';
import { LIMITED, printLabels, printList, printResult, printSuccess } from '../../../promql/print/json.js';
import { LEVEL_LABELS } from '../../../promql/store/series-labels.js';
import { type Format, formatOf, sendTable } from '../../columns.js';
import { HttpError } from '../../errors.js';
import type { Exchange } from '../../exchange.js';
import type { HttpContext } from '../../route.js';
import { sendText, streamText } from './answer.js';
import { invalidParameter, Parameters } from './parameters.js';
import { type ListRequest, PrometheusService } from './query-service.js';

/** Labels that not all series have. */
const BELOW_HOST = ['type', 'type_id', 'stype', 'stype_id'];
const MAX_STEPS = 11_000;
const TOO_FINE =
  'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)';

/** A list that is asked for. */
interface List {
  /** 0: none. */
  readonly limit: number;
  readonly request: ListRequest;
}

/** Aborted when the client has left. */
function goneSignal({ outgoing }: Exchange): AbortSignal {
  const gone = new AbortController();
  // An answer that is sent is no reason: to abort makes an error with its stack.
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Prometheus 3 takes any text for `stats`, and says that it will not for ever. */
function warningsOf(stats: string): string[] {
  if (stats === '' || stats === 'true' || stats === 'all') return [];
  const rule = 'is deprecated and will be rejected in the next major release, use "true" or "all"';
  return [`value ${quote(stats)} for parameter "stats" ${rule}`];
}

export class Handlers {
  private readonly service: PrometheusService;

  constructor(private readonly context: HttpContext) {
    this.service = new PrometheusService(context);
  }

  private parameters(exchange: Exchange): Promise<Parameters> {
    return Parameters.read(exchange, this.context);
  }

  async query(exchange: Exchange): Promise<void> {
    const parameters = await this.parameters(exchange);
    const time = parameters.timeOr('time', Date.now());
    await this.answer(exchange, parameters, { start: time, end: time, step: 0 });
  }

  async queryRange(exchange: Exchange): Promise<void> {
    const parameters = await this.parameters(exchange);
    const start = parameters.time('start');
    const end = parameters.time('end');
    if (end < start) throw invalidParameter('end', 'end timestamp must not be before start time');
    const step = parameters.duration('step');
    if (step <= 0) {
      throw invalidParameter(
        'step',
        'zero or negative query resolution step widths are not accepted. Try a positive integer',
      );
    }
    if (Math.trunc((end - start) / step) > MAX_STEPS) throw new HttpError(400, TOO_FINE);
    await this.answer(exchange, parameters, { start, end, step }, formatOf(exchange, parameters.text('format')));
  }

  private async answer(
    exchange: Exchange,
    parameters: Parameters,
    times: Pick<QueryOptions, 'start' | 'end' | 'step'>,
    format: Format = 'json',
  ): Promise<void> {
    const limit = parameters.limit();
    const stats = parameters.text('stats');
    const options = {
      query: parameters.text('query'),
      ...times,
      lookback: parameters.durationOr('lookback_delta'),
      timeout: parameters.durationOr('timeout'),
      signal: goneSignal(exchange),
      isStrong: parameters.isStrong,
    };
    const use = async (result: QueryResult): Promise<void> => {
      if (format === 'json') {
        const more = { limit, statistics: stats !== '', warnings: warningsOf(stats) };
        const printed = printResult(result, this.context.store.samplePrinter, more);
        await streamText(exchange, printed);
      } else {
        const { resultTable } = await import('../../../table/result-table.js');
        await sendTable(exchange, format, await resultTable(result, limit));
      }
    };
    await this.service.query(options, use, !this.context.ownSockets.has(exchange.incoming.socket));
  }

  /** What series, labels and values are asked for. @param distinct labels by which series are told apart; undefined: all. */
  private async list(exchange: Exchange, distinct: readonly string[] | undefined): Promise<List> {
    const parameters = await this.parameters(exchange);
    // Only names and values may be those of all series.
    if (distinct === undefined && parameters.all('match[]').length === 0) {
      throw new HttpError(400, 'no match[] parameter provided');
    }
    const from = parameters.timeOr('start', Number.MIN_SAFE_INTEGER);
    const to = parameters.timeOr('end', Number.MAX_SAFE_INTEGER);
    if (to < from) throw invalidParameter('end', 'end timestamp must not be before start time');
    const selectors = await this.service.selectors(parameters.all('match[]'));
    const { isStrong } = parameters;
    const request = { selectors, from, to, distinct, isStrong, signal: goneSignal(exchange) };
    return { limit: parameters.limit(), request };
  }

  async series(exchange: Exchange): Promise<void> {
    const { limit, request } = await this.list(exchange, undefined);
    const found = await this.service.series(request);
    await streamText(exchange, printList(found, limit, printLabels));
  }

  async labels(exchange: Exchange): Promise<void> {
    const { limit, request } = await this.list(exchange, BELOW_HOST);
    const found = await this.service.series(request);
    const names = new Set(found.flatMap((labels) => labels.names));
    await streamText(exchange, printList([...names].sort(compareText), limit, JSON.stringify));
  }

  async labelValues(exchange: Exchange): Promise<void> {
    const name = unescapeName(exchange.segment('name') ?? '');
    const { limit, request } = await this.list(exchange, [name]);
    const known = name === '__name__' || (LEVEL_LABELS as readonly string[]).includes(name);
    const found = known ? await this.service.series(request) : [];
    const values = new Set(found.map((labels) => labels.get(name)));
    values.delete('');
    await streamText(exchange, printList([...values].sort(compareText), limit, JSON.stringify));
  }

  async metadata(exchange: Exchange): Promise<void> {
    const parameters = await this.parameters(exchange);
    const limit = parameters.limit();
    // No metric has more than one entry: checked, and then of no consequence.
    parameters.limit('limit_per_metric');
    const wanted = parameters.text('metric');
    const all = [...this.context.config.metrics].filter(([name]) => wanted === '' || name === wanted);
    const kept = limit > 0 ? all.slice(0, limit) : all;
    const seen = await this.context.units?.();
    const unitOf = (name: string, configured: string | undefined) => configured ?? seen?.get(name) ?? '';
    const entries = kept.map(([name, { unit }]) => [name, [{ type: 'gauge', help: '', unit: unitOf(name, unit) }]]);
    const cut = kept.length < all.length ? [LIMITED] : [];
    sendText(exchange, printSuccess(JSON.stringify(Object.fromEntries(entries)), cut));
  }
}

/** `U__a_2e_b`: a name whose other characters are written as their numbers. One that is written wrongly is itself. */
function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  let wrong = false;
  const text = name.slice(3).replace(/__|_([0-9a-fA-F]{1,6})_|_/g, (escaped, code: string | undefined) => {
    if (escaped === '__') return '_';
    const point = code === undefined ? Number.NaN : Number.parseInt(code, 16);
    wrong ||= !(point <= 0x10ffff);
    return wrong ? '' : String.fromCodePoint(point);
  });
  return wrong ? name : text;
}
