/** The result of a PromQL range query as a table: a column a label, a row a sample. */
import { mapInTurns, Turns } from '../base/turns.js';
import type { QueryResult } from '../promql/engine.js';
import type { Labels } from '../promql/evaluate/labels.js';
import { compareText } from '../promql/evaluate/labels.js';
import { countPresent, type Grid, isPresent, type Row, timeAt } from '../promql/evaluate/rows.js';
import { type Run, type Table, TextList, TIMESTAMP, VALUE } from './table.js';

/** Notes of a table: warnings and infos of the query, as in its JSON. */
export const WARNINGS = 'cc.warnings';
export const INFOS = 'cc.infos';

/** Labels that are called like a column of every table get this in front, as Prometheus does with labels that are taken. */
const TAKEN = 'exported_';

function columnName(label: string): string {
  return label === TIMESTAMP || label === VALUE ? TAKEN + label : label;
}

/**
 * @param result of a range query. Its rows are read while the table is.
 * @param limit of series; 0: none.
 */
export async function resultTable({ value, warnings, infos }: QueryResult, limit: number): Promise<Table> {
  if (value.type !== 'matrix') throw new Error(`BUG: a ${value.type} as the result of a range query`);
  const rows = limit > 0 ? value.rows.slice(0, limit) : value.rows;
  const turns = new Turns();
  const found = new Set<string>();
  for (const { labels } of rows) {
    for (const name of labels.names) found.add(name);
    if (turns.due()) await turns.pause();
  }
  const names = [...found].sort(compareText);
  const lists = names.map(() => new TextList());
  const numbered = await mapInTurns(rows, (row) => ({ row, texts: textsOf(row.labels, names, lists) }), turns);
  const notes = new Map<string, string>();
  if (warnings.length > 0) notes.set(WARNINGS, JSON.stringify(warnings));
  if (infos.length > 0) notes.set(INFOS, JSON.stringify(infos));
  return {
    hasQueries: false,
    columns: names.map((name, i) => ({ name: columnName(name), texts: lists[i]?.texts ?? [] })),
    notes,
    runs: runsOf(numbered, value.grid),
  };
}

function textsOf(labels: Labels, names: readonly string[], lists: readonly TextList[]): Int32Array {
  return Int32Array.from(names, (name, i) => lists[i]?.add(labels.get(name)) ?? -1);
}

async function* runsOf(rows: readonly { row: Row; texts: Int32Array }[], grid: Grid): AsyncGenerator<Run> {
  const turns = new Turns();
  for (const { row, texts } of rows) {
    // What is made of the rows before is part of the turn.
    if (turns.due()) await turns.pause();
    const count = countPresent(row.present);
    if (count === 0) continue;
    const run = { query: 0, texts };
    if (count === grid.count) yield { ...run, values: row.values, times: { start: grid.start, step: grid.step } };
    else yield { ...run, ...samplesOf(row, grid, count) };
  }
}

function samplesOf({ values, present }: Row, grid: Grid, count: number): { values: Float64Array; times: Float64Array } {
  const kept = new Float64Array(count);
  const times = new Float64Array(count);
  let at = 0;
  for (let step = 0; step < grid.count; step++) {
    if (!isPresent(present, step)) continue;
    times[at] = timeAt(grid, step);
    kept[at++] = values[step] ?? 0;
  }
  return { values: kept, times };
}
