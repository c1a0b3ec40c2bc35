/**
 * Answers PromQL queries: text in, values out. Knows nothing of HTTP and nothing of the store; a `SeriesSource` gives it
 * samples.
 */

import { filterInTurns, sortInTurns, type Turns } from '../base/turns.js';
import { CompiledExpressions } from './compiled.js';
import { Annotations } from './evaluate/annotations.js';
import { DurationError } from './evaluate/durations.js';
import { Evaluator } from './evaluate/evaluator.js';
import { Labels } from './evaluate/labels.js';
import { type Grid, gridOf, isEmpty, isPresent, type Row, setAllPresent } from './evaluate/rows.js';
import { MemoryPool, QueryRun } from './evaluate/run.js';
import type { SeriesSource } from './evaluate/source.js';
import type { SampleSeries, Value } from './evaluate/value.js';
import { type Expr, typeOf, unwrap } from './parse/ast.js';
import { typeNames } from './parse/value-type.js';

export interface EngineLimits {
  /** Milliseconds that instant selectors look back when a query does not say. */
  readonly lookback: number;
  /** Nobody has chosen it: of metrics that come more seldom, two frequencies are looked back. */
  readonly lookbackAdapts: boolean;
  /** Milliseconds after which any query is given up. */
  readonly timeout: number;
  /** Samples that one query may hold. */
  readonly maxSamples: number;
  /** Bytes of rows that all queries together may hold. */
  readonly maxMemory: number;
}

export interface QueryOptions {
  readonly query: string;
  /** Unix milliseconds; of an instant query both are its time. */
  readonly start: number;
  readonly end: number;
  /** Milliseconds; 0: an instant query. */
  readonly step: number;
  /** Milliseconds; 0 or absent: the engine's. */
  readonly lookback?: number | undefined;
  /** Milliseconds; at most the engine's counts. */
  readonly timeout?: number | undefined;
  readonly signal: AbortSignal;
  /** `performance.now()` when it was asked; absent: now. Waiting for its turn counts. */
  readonly asked?: number;
  /** In a cluster, the answer has everything that was acknowledged anywhere. */
  readonly isStrong?: boolean;
}

/** What a query came to. Rows belong to the caller until it calls `close`. */
export type QueryValue =
  | { readonly type: 'scalar'; readonly time: number; readonly value: number }
  | { readonly type: 'string'; readonly time: number; readonly value: string }
  /** Each row has a sample at step 0. */
  | { readonly type: 'vector'; readonly time: number; readonly rows: readonly Row[] }
  /** Each row has a sample at some step. */
  | { readonly type: 'matrix'; readonly grid: Grid; readonly rows: readonly Row[] }
  /** A range vector in an instant query: samples at their own times. */
  | { readonly type: 'samples'; readonly series: readonly SampleSeries[] };

export interface QueryStatistics {
  /** Seconds. */
  readonly queue: number;
  readonly preparation: number;
  readonly evaluation: number;
  readonly sorting: number;
  readonly peakSamples: number;
  readonly totalSamples: number;
}

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly statistics: QueryStatistics;
  /** Gives the memory of the rows back, once they are printed or given up. */
  close(): void;
}

/** The query's text, types or durations are wrong: found before any data is touched. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

export class Engine {
  private readonly memory: MemoryPool;
  private readonly compiled = new CompiledExpressions();

  constructor(
    private readonly source: SeriesSource,
    private readonly limits: EngineLimits,
  ) {
    this.memory = new MemoryPool(limits.maxMemory);
  }

  /** Bytes that running queries hold. */
  get memoryInUse(): number {
    return this.memory.inUse;
  }

  /**
   * @throws ParseError and QueryError for a query that is none; ExecutionError when it fails with this data; QueryTimeout and
   * QueryCanceled; what the source throws.
   */
  async execute(options: QueryOptions): Promise<QueryResult> {
    const started = performance.now();
    const { asked = started } = options;
    const expr = this.compiled.compile(options.query);
    const type = typeOf(expr);
    const instant = options.step === 0;
    if (!instant && type !== 'scalar' && type !== 'vector') {
      const expected = 'must be Scalar or instant Vector';
      throw new QueryError(`invalid expression type "${typeNames[type]}" for range query, ${expected}`);
    }
    const run = this.runOf(options, asked);
    try {
      const grid = gridOf(options.start, options.end, instant ? 1 : options.step);
      const prepared = performance.now();
      const value = await new Evaluator(this.source, run).evaluate(expr, grid);
      const evaluated = performance.now();
      const result = await (instant ? instantValue(value, expr, options.start, run) : rangeValue(value, grid, run));
      return {
        value: result,
        warnings: run.annotations.warningTexts(),
        infos: run.annotations.infoTexts(),
        statistics: {
          queue: (started - asked) / 1000,
          preparation: (prepared - started) / 1000,
          evaluation: (evaluated - prepared) / 1000,
          sorting: (performance.now() - evaluated) / 1000,
          peakSamples: run.peakSamples,
          totalSamples: run.totalSamples,
        },
        close: () => run.close(),
      };
    } catch (error) {
      run.close();
      throw error instanceof DurationError ? new QueryError(error.message) : error;
    }
  }

  private runOf(options: QueryOptions, asked: number): QueryRun {
    const { query, start, end, step, lookback, timeout, signal, isStrong = false } = options;
    const given = lookback !== undefined && lookback > 0;
    return new QueryRun({
      start,
      end,
      step,
      lookback: given ? lookback : this.limits.lookback,
      adaptiveLookback: !given && this.limits.lookbackAdapts,
      maxSamples: this.limits.maxSamples,
      memory: this.memory,
      deadline: asked + Math.min(timeout ?? this.limits.timeout, this.limits.timeout),
      signal,
      annotations: new Annotations(query),
      isStrong,
    });
  }
}

function byLabels<T extends { readonly labels: Labels }>(series: readonly T[], turns: Turns): Promise<T[]> {
  return sortInTurns(series, (a, b) => a.labels.compare(b.labels), turns);
}

/** Whether an expression itself says in which order its series come. */
function ordersSeries(expr: Expr): boolean {
  const inner = unwrap(expr);
  if (inner.kind === 'aggregation') return inner.operator === 'topk' || inner.operator === 'bottomk';
  return inner.kind === 'call' && inner.signature.name.startsWith('sort');
}

async function instantValue(value: Value, expr: Expr, time: number, turns: Turns): Promise<QueryValue> {
  switch (value.type) {
    case 'scalar':
      return { type: 'scalar', time, value: value.values[0] ?? Number.NaN };
    case 'string':
      return { type: 'string', time, value: value.value };
    case 'matrix':
      return { type: 'samples', series: await byLabels(value.series, turns) };
    case 'vector': {
      const rows = await filterInTurns(value.rows, ({ present }) => isPresent(present, 0), turns);
      return { type: 'vector', time, rows: ordersSeries(expr) ? rows : await byLabels(rows, turns) };
    }
  }
}

async function rangeValue(value: Value, grid: Grid, turns: Turns): Promise<QueryValue> {
  if (value.type === 'scalar') {
    const present = new Uint8Array((grid.count + 7) >> 3);
    setAllPresent(present, grid.count);
    return { type: 'matrix', grid, rows: [{ labels: Labels.none, values: value.values, present }] };
  }
  const all = value.type === 'vector' ? value.rows : [];
  const rows = await filterInTurns(all, ({ present }) => !isEmpty(present), turns);
  return { type: 'matrix', grid, rows: await byLabels(rows, turns) };
}
