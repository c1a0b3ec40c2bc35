/** Results as the text of Prometheus's HTTP API, in pieces. */

import { nextTurn } from '../../base/turns.js';
import { PRINT_STEPS, type SamplePrinter } from '../../store/store.js';
import type { QueryResult, QueryValue } from '../engine.js';
import type { Labels } from '../evaluate/labels.js';
import type { Grid, Row } from '../evaluate/rows.js';
import { formatPlain } from '../parse/literals.js';
import { formatSample, formatTime } from './numbers.js';
import { Pieces } from './pieces.js';

/** The warning of what was cut to a limit. */
export const LIMITED = 'results truncated due to limit';

/** A set of labels as a JSON object. */
export function printLabels({ names, values }: Labels): string {
  let text = '';
  for (let at = 0; at < names.length; at++) {
    text += `${at === 0 ? '' : ','}${JSON.stringify(names[at])}:${JSON.stringify(values[at])}`;
  }
  return `{${text}}`;
}

/** What follows the data: warnings and infos, if there are any. */
function printNotes(warnings: readonly string[], infos: readonly string[]): string {
  const warned = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return infos.length === 0 ? warned : `${warned},"infos":${JSON.stringify(infos)}`;
}

/** A whole answer with data that is JSON already. */
export function printSuccess(data: string, warnings: readonly string[] = []): string {
  return `{"status":"success","data":${data}${printNotes(warnings, [])}}`;
}

/** An answer that is a list, cut to a limit, in pieces that belong to the caller. @param limit 0: none. @param print JSON. */
export function printList<T>(
  items: readonly T[],
  limit: number,
  print: (item: T) => string,
): AsyncGenerator<Uint8Array> {
  const kept = limit > 0 ? items.slice(0, limit) : items;
  const warnings = kept.length < items.length ? [LIMITED] : [];
  function* parts(): Generator<string> {
    yield '{"status":"success","data":[';
    for (const [index, item] of kept.entries()) yield `${index === 0 ? '' : ','}${print(item)}`;
    yield `]${printNotes(warnings, [])}}`;
  }
  return inPieces(parts());
}

/** The parts together, in pieces that belong to the caller. Between two pieces other things are done. */
async function* inPieces(parts: Iterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces();
  let since = performance.now();
  for (const part of parts) {
    const full = pieces.add(part);
    if (full === undefined) continue;
    const spent = performance.now() - since;
    yield full;
    await nextTurn(spent);
    since = performance.now();
  }
  yield pieces.take();
}

/** The samples of a row, printed by the core, with commas between them. Each part is to be used before the next one is taken. */
export function* printRow(row: Row, grid: Grid, printer: SamplePrinter): Generator<Uint8Array> {
  let isFirst = true;
  for (let from = 0; from < grid.count; from += PRINT_STEPS) {
    const text = printer.print(row, grid, from);
    if (text.length === 0) continue;
    yield isFirst ? text.subarray(1) : text;
    isFirst = false;
  }
}

/** Samples of a range vector that are printed at once. */
const SAMPLES_A_PART = 256;

/** The parts of a result's series: text, or bytes of it, which are to be used before the next part is taken. */
function* printSeries(value: QueryValue, limit: number, printer: SamplePrinter): Generator<string | Uint8Array> {
  if (value.type === 'vector') {
    const time = formatTime(value.time);
    const rows = limit > 0 ? value.rows.slice(0, limit) : value.rows;
    for (const [index, row] of rows.entries()) {
      const comma = index === 0 ? '' : ',';
      const sample = formatSample(row.values[0] ?? Number.NaN);
      yield `${comma}{"metric":${printLabels(row.labels)},"value":[${time},"${sample}"]}`;
    }
  } else if (value.type === 'matrix') {
    const { grid } = value;
    const rows = limit > 0 ? value.rows.slice(0, limit) : value.rows;
    for (const [index, row] of rows.entries()) {
      yield `${index === 0 ? '' : ','}{"metric":${printLabels(row.labels)},"values":[`;
      yield* printRow(row, grid, printer);
      yield ']}';
    }
  } else if (value.type === 'samples') {
    const all = limit > 0 ? value.series.slice(0, limit) : value.series;
    for (const [index, { labels, times, values }] of all.entries()) {
      yield `${index === 0 ? '' : ','}{"metric":${printLabels(labels)},"values":[`;
      for (let from = 0; from < times.length; from += SAMPLES_A_PART) {
        const part = times.subarray(from, from + SAMPLES_A_PART);
        const samples = Array.from(
          part,
          (time, at) => `[${formatTime(time)},"${formatSample(values[from + at] ?? 0)}"]`,
        );
        yield `${from === 0 ? '' : ','}${samples.join(',')}`;
      }
      yield ']}';
    }
  }
}

function countOf(value: QueryValue): number {
  if (value.type === 'samples') return value.series.length;
  return value.type === 'vector' || value.type === 'matrix' ? value.rows.length : 1;
}

/** A scalar's time is the shortest number, its value never has an exponent. */
function printSingle(value: QueryValue & { type: 'scalar' | 'string' }): string {
  const text = value.type === 'scalar' ? formatPlain(value.value) : value.value;
  return `[${String(value.time / 1000)},${JSON.stringify(text)}]`;
}

function printStatistics({ statistics }: QueryResult): string {
  const { queue, preparation, evaluation, sorting, peakSamples, totalSamples } = statistics;
  const total = preparation + evaluation + sorting;
  return JSON.stringify({
    timings: {
      evalTotalTime: total,
      resultSortTime: sorting,
      queryPreparationTime: preparation,
      innerEvalTime: evaluation,
      execQueueTime: queue,
      execTotalTime: queue + total,
    },
    samples: { totalQueryableSamples: totalSamples, peakSamples },
  });
}

export interface PrintOptions {
  /** Of series; 0: none. */
  readonly limit: number;
  /** Whether they were asked for. */
  readonly statistics: boolean;
  /** More than those of the query. */
  readonly warnings: readonly string[];
}

/** The answer to a query, in pieces that belong to the caller. Between two pieces other things are done. */
export function printResult(
  result: QueryResult,
  printer: SamplePrinter,
  { limit, statistics, warnings }: PrintOptions,
): AsyncGenerator<Uint8Array> {
  const { value } = result;
  const cut = limit > 0 && countOf(value) > limit;
  const type = value.type === 'samples' ? 'matrix' : value.type;
  const end =
    `${statistics ? `,"stats":${printStatistics(result)}` : ''}}` +
    `${printNotes([...result.warnings, ...(cut ? [LIMITED] : []), ...warnings], result.infos)}}`;
  const begin = `{"status":"success","data":{"resultType":"${type}","result":`;
  function* parts(): Generator<string | Uint8Array> {
    if (value.type === 'scalar' || value.type === 'string') {
      yield begin + printSingle(value) + end;
      return;
    }
    yield `${begin}[`;
    yield* printSeries(value, limit, printer);
    yield `]${end}`;
  }
  return inPieces(parts());
}
