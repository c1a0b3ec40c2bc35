/** The engine behind the routes, made when it is first asked: its modules are not needed for a start. */

import { Lane, LaneFull } from '../../../base/lane.js';
import { mapInTurns, sortInTurns, Turns } from '../../../base/turns.js';
import type { QueryOptions, QueryResult } from '../../../promql/engine.js';
import { Engine, QueryError } from '../../../promql/engine.js';
import { DurationError } from '../../../promql/evaluate/durations.js';
import type { Labels } from '../../../promql/evaluate/labels.js';
import { Pace, QueryCanceled, QueryTimeout } from '../../../promql/evaluate/pace.js';
import { ExecutionError } from '../../../promql/evaluate/rows.js';
import { TooManySamples } from '../../../promql/evaluate/run.js';
import type { Matcher } from '../../../promql/parse/matcher.js';
import { checkTextSize, parseSelector } from '../../../promql/parse/parser.js';
import { PatternBudget } from '../../../promql/parse/pattern-size.js';
import { ParseError } from '../../../promql/parse/position.js';
import { StoreSource } from '../../../promql/store/store-source.js';
import { StoreError } from '../../../store/store.js';
import { ClientGone, HttpError } from '../../errors.js';
import type { HttpContext, ObserveQuery, QueryRefusal } from '../../route.js';
import { TimeoutError } from './errors.js';
import { invalidParameter } from './parameters.js';

/** The HTTP error of what a query failed with; what is none of it stays as it is. */
function toHttp(error: unknown, parameter: string): unknown {
  if (error instanceof ParseError || error instanceof QueryError || error instanceof DurationError) {
    return invalidParameter(parameter, error.message);
  }
  if (error instanceof ExecutionError) return new HttpError(422, error.message);
  if (error instanceof StoreError && error.code === 'TOO_LARGE')
    return new HttpError(422, new TooManySamples().message);
  if (error instanceof QueryTimeout) return new TimeoutError(error.message);
  if (error instanceof QueryCanceled) return new ClientGone(error.message);
  if (error instanceof LaneFull) {
    return new HttpError(503, `as many queries run as may, and ${error.message}; try again soon`, ['Retry-After', '1']);
  }
  return error;
}

/** The reason of a query's failure, for the figures; undefined: a failure of the server. */
function refusalOf(error: unknown): QueryRefusal | undefined {
  if (error instanceof ParseError || error instanceof QueryError || error instanceof DurationError) return 'query';
  if (error instanceof TooManySamples || (error instanceof StoreError && error.code === 'TOO_LARGE')) return 'limit';
  if (error instanceof ExecutionError) return 'execution';
  if (error instanceof QueryTimeout) return 'timeout';
  if (error instanceof QueryCanceled) return 'canceled';
  return error instanceof LaneFull ? 'busy' : undefined;
}

export class PrometheusService {
  private readonly engine: Engine;
  private readonly source: StoreSource;
  /** As many queries as may run may wait besides. */
  private readonly lane: Lane;

  private readonly observe: ObserveQuery | undefined;
  /** Milliseconds. */
  private readonly timeout: number;

  constructor({ store, config, observeQuery }: HttpContext) {
    this.observe = observeQuery;
    const { lookbackSeconds, lookbackAdapts, timeoutSeconds, maxSamples, maxQueries, maxMemoryBytes } = config.promql;
    this.timeout = timeoutSeconds * 1000;
    this.source = new StoreSource(store, config.metrics.keys());
    this.engine = new Engine(this.source, {
      lookback: lookbackSeconds * 1000,
      lookbackAdapts,
      timeout: this.timeout,
      maxSamples,
      maxMemory: maxMemoryBytes,
    });
    this.lane = new Lane(maxQueries, maxQueries);
  }

  /**
   * Runs a query, and `use` with its result, which is closed afterwards. @throws HttpError, StoreError
   * @param isCounted whether the figures of queries tell of it.
   */
  async query(
    options: Omit<QueryOptions, 'asked'>,
    use: (result: QueryResult) => Promise<void>,
    isCounted: boolean,
  ): Promise<void> {
    const seconds: { queue?: number; evaluation?: number; answer?: number } = {};
    let samples = 0;
    let refusal: QueryRefusal | undefined;
    const asked = performance.now();
    let last = asked;
    const lap = (): number => {
      const before = last;
      last = performance.now();
      return (last - before) / 1000;
    };
    try {
      await this.lane.run(async () => {
        seconds.queue = lap();
        const result = await this.engine.execute({ ...options, asked });
        seconds.evaluation = lap();
        samples = result.statistics.totalSamples;
        try {
          await use(result);
        } finally {
          result.close();
          seconds.answer = lap();
        }
      });
    } catch (error) {
      refusal = refusalOf(error);
      throw toHttp(error, 'query');
    } finally {
      if (isCounted) this.observe?.({ seconds, samples, refusal });
    }
  }

  /** The matchers of each selector; together they may be as large as one query. @throws HttpError 400 */
  async selectors(texts: readonly string[]): Promise<(readonly Matcher[])[]> {
    try {
      const patterns = new PatternBudget();
      checkTextSize(texts.join('\n'));
      return await mapInTurns(texts, (text) => parseSelector(text, patterns), new Turns());
    } catch (error) {
      throw toHttp(error, 'match[]');
    }
  }

  /** The series that any of the selectors chooses, without duplicates; all of them sorted. @throws HttpError, StoreError */
  async series({ selectors, from, to, distinct, isStrong, signal }: ListRequest): Promise<Labels[]> {
    const pace = new Pace(performance.now() + this.timeout, signal);
    try {
      const found = new Map<string, Labels>();
      for (const matchers of selectors.length === 0 ? [[]] : selectors) {
        for (const labels of await this.source.series(matchers, from, to, distinct, isStrong, pace)) {
          found.set(labels.key, labels);
          if (pace.due()) await pace.pause();
        }
      }
      const all = [...found.values()];
      return distinct === undefined ? await sortInTurns(all, (a, b) => a.compare(b), pace) : all;
    } catch (error) {
      throw toHttp(error, 'match[]');
    } finally {
      pace.close();
    }
  }
}

/** What lists of series and labels are asked for. */
export interface ListRequest {
  /** None: all series. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Labels by which series are told apart; undefined: all. */
  readonly distinct: readonly string[] | undefined;
  /** In a cluster: all that was acknowledged anywhere counts. */
  readonly isStrong: boolean;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}
