/**
 * Metrics that arrive although the configuration has none of these names, for whoever wants to configure them.
 *
 * A row a name, at most MAX_ROWS, for names come from outside. When all are taken, the one with the fewest samples of LOOKED_AT
 * rows goes: random names drive out each other, hardly those that come again and again.
 *
 * How often a series is sent is learned from one, the example: the first that came, or the next one when that has not been seen
 * for an hour. Times are read in its lines only.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { UnconfiguredField, UnconfiguredRowField } from '../../src/wasm/tables/layouts';
import { alloc, free } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Table } from '../memory/table';
import { fieldsEnd, isBlank } from '../text/line-end';
import { parseUnsigned, parsed } from '../text/number';
import { source } from './batch';

const MAX_ROWS: u32 = 512;
const LOOKED_AT: i32 = 8;
/** Seconds after which an example may be another series, and after which the samples of a row count for nothing. */
const EXAMPLE_SECONDS: i64 = 3600;
const ROW_SECONDS: i64 = 86400;
/** Kinds of levels that are remembered of a name. */
const MAX_LEVELS: i32 = 4;
/** Bytes of a kind, its length included. */
const LEVEL: i32 = 24;
/** Bytes of a name and of an example's prefix. Longer names have no row, longer prefixes are cut. */
const TEXT: i32 = 256;

/**
 *   0         8        16             24             32     36     40         44            48       52
 *   ┌─────────┬────────┬──────────────┬──────────────┬──────┬──────┬──────────┬─────────────┬────────┬───────────┐
 *   │ samples │ newest │ example time │ example seen │ hash │ step │ name len │ example len │ levels │ u8 placed │
 *   └─────────┴────────┴──────────────┴──────────────┴──────┴──────┴──────────┴─────────────┴────────┴───────────┘
 *   53                                  149    405
 *   ┌───────────────────────────────────┬──────┬─────────────────────┐
 *   │ MAX_LEVELS times u8 length + kind │ name │ prefix of the example │
 *   └───────────────────────────────────┴──────┴─────────────────────┘
 */
@unmanaged
export class Row {
  samples: f64;
  /** When the last sample came, unix seconds. */
  newest: i64;
  /** Time of the example's last sample. */
  exampleTime: i64;
  /** When that came. */
  exampleSeen: i64;
  hash: u32;
  /** Least seconds between two samples of an example; 0: there was one only. */
  step: i32;
  nameLength: i32;
  exampleLength: i32;
  levels: i32;
  /** The level of a line was noted, or can't be known. */
  isPlaced: bool;

  private level(i: i32): usize {
    return changetype<usize>(this) + <usize>(UnconfiguredRowField.Levels + i * LEVEL);
  }
  get name(): usize {
    return changetype<usize>(this) + UnconfiguredRowField.Name;
  }
  private get example(): usize {
    return changetype<usize>(this) + UnconfiguredRowField.Example;
  }

  /** Counts a sample. @param p its line, whose prefix ends at the blank at q. @param end of the text. */
  note(p: usize, q: usize, end: usize): void {
    this.samples++;
    this.newest = source.now;
    const n = min(<i32>(q - p), TEXT);
    const isExample = this.exampleLength == n && bytesEqual(this.example, p, n);
    if (!isExample && this.exampleLength && source.now - this.exampleSeen <= EXAMPLE_SECONDS) return;
    const seconds = timeOfLine(q, end);
    if (isExample) {
      const step = seconds - this.exampleTime;
      if (step > 0 && step <= i32.MAX_VALUE) this.step = this.step ? min(this.step, <i32>step) : <i32>step;
    } else {
      this.exampleLength = n;
      memory.copy(this.example, p, n);
    }
    this.exampleTime = seconds;
    this.exampleSeen = source.now;
  }

  /** Notes the kind of a level: `hwthread` of `hwthread7`; the node's own has no name. */
  noteLevel(name: usize, length: i32): void {
    this.isPlaced = true;
    let n = 0;
    while (n < length && n < LEVEL - 1 && <u32>(load<u8>(name + n) - 0x30) > 9) n++;
    for (let i = 0; i < this.levels; i++) {
      const known = this.level(i);
      if (<i32>load<u8>(known) == n && bytesEqual(known + 1, name, n)) return;
    }
    if (this.levels == MAX_LEVELS) return;
    const fresh = this.level(this.levels);
    store<u8>(fresh, <u8>n);
    memory.copy(fresh + 1, name, n);
    this.levels++;
  }
}

if (
  offsetof<Row>('samples') != UnconfiguredRowField.Samples ||
  offsetof<Row>('newest') != UnconfiguredRowField.Newest ||
  offsetof<Row>('step') != UnconfiguredRowField.Step ||
  offsetof<Row>('nameLength') != UnconfiguredRowField.NameLength ||
  offsetof<Row>('exampleLength') != UnconfiguredRowField.ExampleLength ||
  offsetof<Row>('levels') != UnconfiguredRowField.LevelCount ||
  offsetof<Row>() != UnconfiguredRowField.Levels ||
  LEVEL != UnconfiguredRowField.LevelSize ||
  UnconfiguredRowField.Levels + MAX_LEVELS * LEVEL != UnconfiguredRowField.Name ||
  UnconfiguredRowField.Name + TEXT != UnconfiguredRowField.Example ||
  UnconfiguredRowField.Example + TEXT != UnconfiguredRowField.Size
) {
  ERROR('layouts.ts has another layout of rows of unconfigured metrics');
}

/** The rows: behind this, their addresses, u32 each. */
@unmanaged
class Unconfigured {
  /** Names that have a row. */
  count: u32;
  /** Rows that were given to another name. */
  forgotten: u32;
  /** The row that is looked at next when one has to go. */
  private hand: u32;

  private row(i: u32): Row {
    return changetype<Row>(load<u32>(changetype<usize>(this) + UnconfiguredField.Rows + (<usize>i << 2)));
  }

  /** A row for a name with this hash, without content; null: memory is exhausted. */
  take(hash: u32): Row | null {
    const isNew = this.count < MAX_ROWS;
    const row = isNew ? alloc(UnconfiguredRowField.Size, MemoryKind.Index) : changetype<usize>(this.replaced());
    if (!row) return null;
    // Where one was removed there is room for one.
    if (!byName.add(hash, row)) {
      free(row, MemoryKind.Index);
      return null;
    }
    if (isNew) {
      store<u32>(changetype<usize>(this) + UnconfiguredField.Rows + (<usize>this.count << 2), <u32>row);
      this.count++;
    }
    return changetype<Row>(row);
  }

  /** Frees a row of its name. */
  private replaced(): Row {
    let least = this.row(this.hand);
    for (let i = 0; i < LOOKED_AT; i++) {
      const row = this.row(this.hand);
      this.hand = (this.hand + 1) % MAX_ROWS;
      if (weight(row) < weight(least)) least = row;
    }
    byName.remove(least.hash, changetype<usize>(least));
    this.forgotten++;
    return least;
  }
}

if (
  offsetof<Unconfigured>('count') != UnconfiguredField.Count ||
  offsetof<Unconfigured>('forgotten') != UnconfiguredField.Forgotten ||
  offsetof<Unconfigured>() != UnconfiguredField.Rows
) {
  ERROR('layouts.ts has another layout of unconfigured metrics');
}

export const unconfigured = changetype<Unconfigured>(memory.data(UnconfiguredField.Rows + 4 * MAX_ROWS, 8));
const byName = changetype<Table>(memory.data(offsetof<Table>(), 8));

function weight(row: Row): f64 {
  return source.now - row.newest > ROW_SECONDS ? 0 : row.samples;
}

/** The row of a name, made if there is none. Null: the name is empty or too long, or memory is exhausted. */
export function rowOf(name: usize, n: i32): Row | null {
  if (!n || n > TEXT) return null;
  const hash = hashBytes(0, name, n);
  let row = changetype<Row | null>(byName.find(hash));
  while (row) {
    if (row.nameLength == n && bytesEqual(row.name, name, n)) return row;
    row = changetype<Row | null>(byName.next());
  }
  row = unconfigured.take(hash);
  if (!row) return null;
  memory.fill(changetype<usize>(row), 0, UnconfiguredRowField.Size);
  row.hash = hash;
  row.nameLength = n;
  memory.copy(row.name, name, n);
  return row;
}

/** Time of the line whose fields follow the blank at q: the digits at its end, or now. */
function timeOfLine(q: usize, end: usize): i64 {
  let stop = fieldsEnd(q, end);
  while (stop > q && isBlank(load<u8>(stop - 1))) stop--;
  let at = stop;
  while (at > q && <u32>(load<u8>(at - 1) - 0x30) <= 9) at--;
  if (at == stop || at == q || !isBlank(load<u8>(at - 1)) || !parseUnsigned(at, stop)) return source.now;
  return source.timeOf(parsed.integer);
}
