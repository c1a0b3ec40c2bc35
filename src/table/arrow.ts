/**
 * A table as an Arrow IPC stream: schema, dictionaries, record batches of at most 64 Ki rows. Buffers are compressed as Arrow's
 * format has it (LZ4 frames), but nothing is searched for that: texts are runs of a number, and the series of a host have the
 * same times. Values are sent as they are.
 */
import { nextTurn } from '../base/turns.js';
import { batchMessage, dictionaryMessage, END_OF_STREAM, type Node, schemaMessage } from './arrow-messages.js';
import { Batch, expand, PLAIN, type Repeats } from './batch.js';
import { LEAST_MATCH, Lz4Frame, TAIL } from './lz4-frame.js';
import { MAX_RUN, type Run, type Table, type TextColumn } from './table.js';

const BATCH_ROWS = MAX_RUN;
const NOTHING = new Uint8Array(0);
const frame = new Lz4Frame();

/** Length of the bytes when they are not compressed any more, i64. */
function prefix(length: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, length, true);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function compressed(length: number): Uint8Array {
  return joined(prefix(BigInt(length)), frame.finish());
}

/** Rows that a number must be repeated for, on average: shorter runs are as long as their numbers. */
const WORTH_A_RUN = 4;

/** Numbers, i32 each. -1, which means null, is written as 0. */
function numbersBuffer({ numbers, counts }: Repeats, rows: number): Uint8Array {
  if (numbers.length * WORTH_A_RUN > rows) {
    const positive = numbers.map((number) => Math.max(number, 0));
    frame.literals(expand({ numbers: positive, counts }, rows));
    return compressed(4 * rows);
  }
  const plain = Math.min(rows, TAIL / 4);
  const tail = new Int32Array(plain);
  let at = 0;
  for (const [i, number] of numbers.entries()) {
    const end = at + (counts[i] ?? 0);
    const value = Math.max(number, 0);
    tail.fill(value, Math.max(0, at - (rows - plain)), Math.max(0, end - (rows - plain)));
    const repeated = Math.min(end, rows - plain) - at;
    if (repeated > 0) {
      frame.literals(new Uint8Array(Int32Array.of(value).buffer));
      if (repeated > 1) frame.match(4, 4 * (repeated - 1));
    }
    at = end;
  }
  frame.literals(new Uint8Array(tail.buffer));
  return compressed(4 * rows);
}

/** Buffers of columns that have one number from end to end, which most do in most batches: each is made once. */
class Constants {
  readonly #buffers = new Map<number, Uint8Array>();

  /** Of a full batch. */
  of(repeats: Repeats): Uint8Array {
    const [only = 0] = repeats.numbers;
    let buffer = this.#buffers.get(only);
    if (buffer === undefined) {
      buffer = numbersBuffer(repeats, BATCH_ROWS);
      this.#buffers.set(only, buffer);
    }
    return buffer;
  }
}

/** One bit a row, of a column that has nulls. */
function presenceBuffer({ numbers, counts }: Repeats, rows: number): Uint8Array {
  const bytes = new Uint8Array(8 + Math.ceil(rows / 8));
  new DataView(bytes.buffer).setBigInt64(0, PLAIN, true);
  const bits = bytes.subarray(8);
  let at = 0;
  for (const [i, number] of numbers.entries()) {
    const end = at + (counts[i] ?? 0);
    if (number >= 0) setBits(bits, at, end);
    at = end;
  }
  return bytes;
}

function setBits(bits: Uint8Array, from: number, to: number): void {
  let at = from;
  for (; at < to && (at & 7) !== 0; at++) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  if (to - at >= 8) {
    bits.fill(255, at >> 3, to >> 3);
    at = to & ~7;
  }
  for (; at < to; at++) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
}

function nullsOf({ numbers, counts }: Repeats): number {
  return counts.reduce((sum, count, i) => ((numbers[i] ?? 0) < 0 ? sum + count : sum), 0);
}

function timesBuffer(batch: Batch): Uint8Array {
  const { rows } = batch;
  const end = Math.max(0, rows - TAIL / 8);
  let at = 0;
  for (const part of batch.timeParts) {
    const to = Math.min(at + part.rows, end);
    const bytes = (to - at) * 8;
    if (part.back > 0 && bytes >= LEAST_MATCH) frame.match(part.back * 8, bytes);
    else if (bytes > 0) frame.literals(batch.timeBytes(at, to));
    at += part.rows;
  }
  frame.literals(batch.timeBytes(end, rows));
  return compressed(8 * rows);
}

function dictionaryOf({ texts }: TextColumn, number: number): Uint8Array[] {
  const bytes = Buffer.from(texts.join(''));
  const offsets = new Int32Array(texts.length + 1);
  for (const [i, text] of texts.entries()) offsets[i + 1] = (offsets[i] ?? 0) + Buffer.byteLength(text);
  return dictionaryMessage(number, { length: texts.length, nulls: 0 }, [
    NOTHING,
    new Uint8Array(offsets.buffer),
    bytes,
  ]);
}

function recordBatch(batch: Batch, hasQueries: boolean, constants: Constants): Uint8Array[] {
  const { rows } = batch;
  const numbersOf = (repeats: Repeats) =>
    repeats.numbers.length === 1 && rows === BATCH_ROWS ? constants.of(repeats) : numbersBuffer(repeats, rows);
  const nodes: Node[] = [];
  const buffers: Uint8Array[] = [];
  if (hasQueries) {
    nodes.push({ length: rows, nulls: 0 });
    buffers.push(NOTHING, numbersOf(batch.queries));
  }
  for (const repeats of batch.texts) {
    const nulls = nullsOf(repeats);
    nodes.push({ length: rows, nulls });
    buffers.push(nulls === 0 ? NOTHING : presenceBuffer(repeats, rows), numbersOf(repeats));
  }
  nodes.push({ length: rows, nulls: 0 }, { length: rows, nulls: 0 });
  const values = batch.valueBytes();
  buffers.push(NOTHING, timesBuffer(batch), NOTHING, values);
  // All but the values is small; they are the last, and need no padding.
  const parts = batchMessage(nodes, buffers);
  return [joined(...parts.slice(0, -1)), values];
}

/** The stream in pieces, each of which is to be used before the next is asked for. */
export async function* arrowStream(table: Table): AsyncGenerator<Uint8Array> {
  yield joined(schemaMessage(table), ...table.columns.flatMap(dictionaryOf));
  const batch = new Batch(table.columns.length, BATCH_ROWS);
  const constants = new Constants();
  /** Milliseconds that the batch at hand has taken. */
  let spent = 0;
  for await (const run of table.runs) {
    let since = performance.now();
    let rest: Run | undefined = run;
    while (rest !== undefined) {
      rest = batch.add(rest);
      if (batch.rows < BATCH_ROWS) continue;
      const parts = recordBatch(batch, table.hasQueries, constants);
      spent += performance.now() - since;
      yield* parts;
      await nextTurn(spent);
      spent = 0;
      since = performance.now();
      batch.clear();
    }
    spent += performance.now() - since;
  }
  if (batch.rows > 0) yield* recordBatch(batch, table.hasQueries, constants);
  yield END_OF_STREAM;
}
