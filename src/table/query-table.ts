/**
 * The answer to a query of /api/query as a table. The store is asked twice: first without data, for names and errors, which the
 * formats want to know before any row; then for the columns.
 */
import { Turns } from '../base/turns.js';
import { splitLevel } from '../promql/store/level-name.js';
import type { AnswerColumn, QueryRequest, SeriesQuery, Store } from '../store/store.js';
import { errorText } from './query-errors.js';
import { MAX_RUN, type Run, type Table, TextList } from './table.js';

/** Text columns, in order. */
const NAMES = ['cluster', 'hostname', 'metric', 'type', 'type_id', 'stype', 'stype_id'] as const;

/** Errors of single queries, as notes of the table. */
export const ERRORS = 'cc.errors';

type Asked = Pick<Store, 'columns' | 'nodes'>;

/** A request whose metrics for all nodes are queries. */
interface Expanded {
  readonly request: QueryRequest;
  /** The number that a query has in the table. */
  numberOf(query: number): number;
}

function ofHost(metric: string, host: string): SeriesQuery {
  return { metric, host, typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 0 };
}

/** A query for each metric and node: the rows of a metric follow each other, its nodes by name. */
async function expand(store: Asked, request: QueryRequest): Promise<Expanded> {
  const { cluster, queries, forAllNodes = [] } = request;
  if (forAllNodes.length === 0) return { request, numberOf: (query) => query };
  const nodes = await store.nodes(cluster);
  const made = forAllNodes.flatMap((metric) => nodes.map(({ node }) => ofHost(metric, node)));
  const own = queries.length;
  return {
    request: { ...request, queries: [...queries, ...made], forAllNodes: [] },
    numberOf: (query) => (query < own ? query : own + Math.floor((query - own) / nodes.length)),
  };
}

/** Texts of the columns `NAMES`; empty: none. @param rolledUp the level is made of others below it. */
function textsOf(
  metric: string,
  [cluster = '', host = '', level, sub]: readonly string[],
  rolledUp: boolean,
): string[] {
  const top = [cluster, host, metric];
  if (level === undefined) return [...top, rolledUp ? '' : 'node', '', '', ''];
  const [type, id] = splitLevel(level, true);
  const [subtype, subId] = sub === undefined ? ['', ''] : splitLevel(sub, false);
  return [...top, type, id, subtype, subId];
}

interface Refusal {
  query: number;
  entry: number;
  error: string;
}

/** @throws StoreError as `Store.columns` does. */
export async function queryTable(store: Asked, asked: QueryRequest): Promise<Table> {
  const { request, numberOf } = await expand(store, asked);
  const lists = NAMES.map(() => new TextList());
  const refusals: Refusal[] = [];
  for await (const piece of await store.columns({
    ...request,
    withData: false,
    withStats: false,
    withPadding: false,
  })) {
    for (const column of piece) {
      const { query, entry, metric } = column;
      if ('error' in column) refusals.push({ query: numberOf(query), entry, error: errorText(column, metric) });
      else for (const [i, text] of textsOf(metric, column.levels, column.rolledUp).entries()) lists[i]?.add(text);
    }
  }
  const notes = new Map<string, string>();
  if (refusals.length > 0) notes.set(ERRORS, JSON.stringify(refusals));
  // Statistics say which columns have no gaps.
  const pieces = await store.columns({ ...request, withStats: true, withPadding: false });
  return {
    hasQueries: true,
    columns: NAMES.map((name, i) => ({ name, texts: lists[i]?.texts ?? [] })),
    notes,
    runs: runsOf(pieces, lists, numberOf),
  };
}

async function* runsOf(
  pieces: AsyncIterable<AnswerColumn[]>,
  lists: readonly TextList[],
  numberOf: (query: number) => number,
): AsyncGenerator<Run> {
  let texts = new Int32Array(lists.length);
  let isKnown = false;
  const turns = new Turns();
  for await (const piece of pieces) {
    for (const column of piece) {
      // What is made of the columns before is part of the turn.
      if (turns.due()) await turns.pause();
      if ('error' in column) continue;
      const { query, metric, levels, rolledUp, from, step, count, first, samples } = column;
      if (levels.length > 0) {
        const names = textsOf(metric, levels, rolledUp);
        texts = numbersOf(names, lists);
        // A series that came after the names were asked for: its texts have no number.
        isKnown = names.every((text, i) => text === '' || (texts[i] ?? -1) >= 0);
      }
      if (!isKnown) continue;
      const start = (from + first * step) * 1000;
      for (let at = 0; at < column.values.length; at += MAX_RUN) {
        const values = column.values.subarray(at, at + MAX_RUN);
        const times = { start: start + at * step * 1000, step: step * 1000 };
        const run = { query: numberOf(query), texts, values, times };
        if (samples === count) yield run;
        else yield* withoutGaps(run);
      }
    }
  }
}

function numbersOf(names: readonly string[], lists: readonly TextList[]): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(lists.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = lists[i]?.numberOf(names[i] ?? '') ?? -1;
  return numbers;
}

/** The values that are there. */
function* withoutGaps(run: Run & { times: { start: number; step: number } }): Generator<Run> {
  const { start, step } = run.times;
  const values = new Float64Array(run.values.length);
  const times = new Float64Array(run.values.length);
  let count = 0;
  for (let i = 0; i < run.values.length; i++) {
    const value = run.values[i] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    times[count] = start + i * step;
    values[count++] = value;
  }
  if (count > 0) yield { ...run, values: values.subarray(0, count), times: times.subarray(0, count) };
}
