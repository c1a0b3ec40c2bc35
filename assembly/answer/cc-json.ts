/**
 * Third stage of reading: columns -> cc-backend's JSON. Of each query the list of its entries, with a comma before it:
 *
 *   ,[entry,entry],[entry]
 *   {"error":"..","from":0,"to":0,"resolution":0,"avg":0,"min":0,"max":0}
 *   {"data":[1.5,null],"from":1,"to":3,"resolution":1,"avg":1.5,"min":1.5,"max":1.5}
 */
import { AnswerParts, AnswerStep, QueryError } from '../../src/wasm/tables/codes';
import { EndsField } from '../../src/wasm/tables/layouts';
import { out } from '../memory/out';
import { Column } from '../read/evaluate';
import { Query } from '../read/request';
import { FIXED_MAX_BYTES, printFixed2, printFixed3s, printI64, printString } from '../text/print';
import { Answer, Next, STEP_ENTRIES } from './answer';

/** Values printed between two looks at the budget. */
const PRINT_STEP: i32 = 256;
/** Nulls of padding printed between two looks at the budget. */
const PADDING_STEP: i64 = 4096;
/** Nulls of padding in one entry: a series that begins in years, by a wrong clock, must not be answered with gigabytes. */
const MAX_PADDING: i64 = 1000000;
const NULL_COMMA: u64 = 0x2c6c6c756e; // null,

/** Ends that are kept of a step. */
const MAX_ENDS: u32 = 4096;

/** Where the lists end that the last step has completed, as offsets into its output. */
@unmanaged
class Ends {
  count: u32;

  get isFull(): bool {
    return this.count == MAX_ENDS;
  }

  add(end: u32): void {
    store<u32>(changetype<usize>(this) + EndsField.Ends + (<usize>this.count << 2), end);
    this.count++;
  }
}

if (offsetof<Ends>('count') != EndsField.Count || offsetof<Ends>() != EndsField.Ends) {
  ERROR('layouts.ts has another layout of ends');
}

export const queryEnds = changetype<Ends>(memory.data(4 + 4 * MAX_ENDS, 4));

/**
 * Writes until the output holds about `budget` bytes or all queries are answered. Where each completed query's list ends is in
 * `queryEnds`. Whoever takes the output may cut it anywhere.
 */
export function queryStep(answer: Answer, budget: u32): AnswerStep {
  queryEnds.count = 0;
  answer.resume();
  let looked = 0;
  while (true) {
    if (answer.isWriting && !writeEntry(answer, budget)) return out.failed ? AnswerStep.OutOfMemory : AnswerStep.More;
    if (!answer.queriesLeft) return AnswerStep.Done;
    if (out.length >= budget || looked++ == STEP_ENTRIES || queryEnds.isFull) return AnswerStep.More;
    if (!out.ensure(64)) return AnswerStep.OutOfMemory;
    if (!answer.isListOpen) {
      out.putChar(0x2c);
      out.putChar(0x5b);
      answer.isListOpen = true;
      answer.hasEntries = false;
    }
    const next = answer.next();
    if (next == Next.Failed) return AnswerStep.OutOfMemory;
    if (next == Next.Entry) {
      if (answer.hasEntries) out.putChar(0x2c);
      answer.hasEntries = true;
      answer.isWriting = true;
      answer.written = 0;
    } else if (next == Next.QueryEnd) {
      out.putChar(0x5d);
      answer.isListOpen = false;
      queryEnds.add(out.length);
    }
  }
}

/** Writes the entry at hand, or goes on with it. False when memory is exhausted (`out.failed`) or it takes another step. */
function writeEntry(answer: Answer, budget: u32): bool {
  const column = answer.column;
  const parts = answer.request;
  if (column.padding > MAX_PADDING && parts.has(AnswerParts.Data)) column.fail(QueryError.PaddingTooLong, column.padding, MAX_PADDING);
  if (column.error) {
    answer.isWriting = false;
    return writeError(column, answer.query);
  }
  if (parts.has(AnswerParts.Data) && column.padding + <i64>column.count > 0) {
    if (!writeData(answer, budget)) return false;
  } else {
    if (!out.ensure(256)) return false;
    out.putChar(0x7b);
  }
  answer.isWriting = false;
  writeRange(column.from, column.to, column.step);
  return parts.has(AnswerParts.Stats) ? writeStats(column) : writeZeros();
}

/** Writes the entry's padding and values, or goes on with them. False when memory is exhausted or it takes another step. */
function writeData(answer: Answer, budget: u32): bool {
  const column = answer.column;
  const total = column.padding + <i64>column.count;
  if (!answer.written) {
    if (!out.ensure(64)) return false;
    out.putAscii('{"data":[');
  }
  while (true) {
    const ahead = column.padding - answer.written;
    if (ahead > 0) {
      const n = min(ahead, PADDING_STEP);
      if (!out.ensure(<u32>n * 5 + 16)) return false;
      for (let i: i64 = 0; i < n; i++) {
        store<u64>(out.end, NULL_COMMA);
        out.end += 5;
      }
      answer.written += n;
    } else {
      const at = <i32>-ahead;
      if (!answer.have(at)) return false;
      const n = min(PRINT_STEP, column.heldFrom(at));
      if (!out.ensure(PRINT_STEP * (FIXED_MAX_BYTES + 1) + 16)) return false;
      const end = printFixed3s(out.end, column.at(at), n);
      store<u8>(end, 0x2c);
      out.end = end + 1;
      answer.written += n;
    }
    if (answer.written == total) break;
    if (out.length >= budget) return false;
  }
  if (!out.ensure(256)) return false;
  // The last comma becomes the bracket.
  store<u16>(out.end - 1, 0x2c5d);
  out.end += 1;
  return true;
}

function putInteger(v: i64): void {
  out.end = printI64(out.end, v);
}

function writeRange(from: i64, to: i64, resolution: i64): void {
  out.putAscii('"from":');
  putInteger(from);
  out.putAscii(',"to":');
  putInteger(to);
  out.putAscii(',"resolution":');
  putInteger(resolution);
}

function writeZeros(): bool {
  out.putAscii(',"avg":0,"min":0,"max":0}');
  return true;
}

function writeStats(column: Column): bool {
  if (!out.ensure(3 * FIXED_MAX_BYTES + 64)) return false;
  const n = column.samples;
  out.putAscii(',"avg":');
  out.end = printFixed2(out.end, n ? column.sum / <f64>n : NaN);
  out.putAscii(',"min":');
  out.end = printFixed2(out.end, n ? column.least : NaN);
  out.putAscii(',"max":');
  out.end = printFixed2(out.end, n ? column.greatest : NaN);
  out.putChar(0x7d);
  return true;
}

function writeError(column: Column, query: Query): bool {
  const metric = query.metric;
  if (!out.ensure(512 + 6 * metric.length)) return false;
  out.putAscii('{"error":');
  if (column.error == QueryError.UnknownMetric) {
    // The name is printed with its quotes; the text goes in front of it, inside them.
    out.putAscii('"unknown metric: ');
    const text = out.end;
    const end = printString(text, metric.text, metric.length);
    memory.copy(text, text + 1, end - text - 1);
    out.end = end - 1;
  } else if (column.error == QueryError.FromAfterTo) {
    out.putAscii(`"invalid time range: 'from' is after 'to'"`);
  } else if (column.error == QueryError.NoAggregation) {
    out.putAscii('"invalid aggregation: several series, but the aggregation of the metric is null"');
  } else if (column.error == QueryError.TooLong) {
    out.putAscii('"range too long: ');
    putInteger(column.given);
    out.putAscii(' samples, at most ');
    putInteger(column.limit);
    out.putAscii(' are answered at once"');
  } else if (column.error == QueryError.PaddingTooLong) {
    out.putAscii('"padding too long: the data begins ');
    putInteger(column.given);
    out.putAscii(" nulls after 'from', at most ");
    putInteger(column.limit);
    out.putAscii(" are answered; ask from a later time or without 'with-padding'\"");
  } else {
    out.putAscii('"new sampling frequency (');
    putInteger(column.given);
    out.putAscii(') must be a multiple of old frequency (');
    putInteger(column.limit);
    out.putAscii(')"');
  }
  out.putAscii(',');
  writeRange(0, 0, 0);
  return writeZeros();
}
