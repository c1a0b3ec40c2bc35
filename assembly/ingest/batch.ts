/** A batch of lines: what holds for all of them, what became of them, and which were refused. */
import { LAST_LINE_ERROR, LineError } from '../../src/wasm/tables/codes';
import { BatchField, RefusalField } from '../../src/wasm/tables/layouts';
import { log } from '../durable/log';
import { clusterIntern } from '../series/keys';
import { Node } from '../series/records';
import { toSeconds } from '../text/line';
import { clock, clockBegin, noteFault } from './clock';
import { runs } from './runs';

@unmanaged
class Refusal {
  line: i32;
  /** A LineError. */
  reason: i32;
  /** Of a wrong time: see `noteFault`. */
  fault: i32;
  /** The tag that is to blame, and its bytes; 0: none is. */
  tag: usize;
  tagLength: i32;
}

if (
  offsetof<Refusal>('line') != RefusalField.Line ||
  offsetof<Refusal>('reason') != RefusalField.Reason ||
  offsetof<Refusal>('fault') != RefusalField.Fault ||
  offsetof<Refusal>('tag') != RefusalField.Tag ||
  offsetof<Refusal>('tagLength') != RefusalField.TagLength ||
  offsetof<Refusal>() != RefusalField.Size
) {
  ERROR('layouts.ts has another layout of refusals');
}

/** Refusals that are described. */
const MAX_REFUSALS: i32 = 16;

/** What became of the batch; behind it, the refusals that are described. */
@unmanaged
class Batch {
  /** Lines of the text, blank ones included: where the next piece of the same body goes on counting. */
  lines: i32;
  /** Samples stored, lines (or fields) of unknown metrics, and lines refused. */
  stored: i32;
  skipped: i32;
  refused: i32;
  /** Fields that hold no number, of lines of several fields (fields.ts). */
  leftOut: i32;
  /** Refusals that are described. */
  described: i32;

  clear(): void {
    memory.fill(changetype<usize>(this), 0, offsetof<Batch>());
  }

  /** Adds to what lines of several fields came to. */
  add(stored: i32, skipped: i32, leftOut: i32): void {
    this.stored += stored;
    this.skipped += skipped;
    this.leftOut += leftOut;
  }

  /** The next refusal to be described; null: there are enough. */
  describe(): Refusal | null {
    if (this.described == MAX_REFUSALS) return null;
    const place = BatchField.Refusals + this.described * RefusalField.Size;
    this.described++;
    return changetype<Refusal>(changetype<usize>(this) + <usize>place);
  }
}

if (
  offsetof<Batch>('lines') != BatchField.Lines ||
  offsetof<Batch>('stored') != BatchField.Stored ||
  offsetof<Batch>('skipped') != BatchField.Skipped ||
  offsetof<Batch>('refused') != BatchField.Refused ||
  offsetof<Batch>('leftOut') != BatchField.LeftOut ||
  offsetof<Batch>('described') != BatchField.Described ||
  offsetof<Batch>() != BatchField.Refusals
) {
  ERROR('layouts.ts has another layout of batches');
}

export const batch = changetype<Batch>(memory.data(BatchField.Refusals + RefusalField.Size * MAX_REFUSALS, 8));

/** What holds for all lines of the batch. */
@unmanaged
class Source {
  /** For lines without a time, unix seconds. */
  now: i64;
  /** Units of timestamps a second; 0: by magnitude. */
  private perSecond: u64;
  /** Start of the text. */
  text: usize;
  /** For lines without a cluster tag; empty: such lines are refused. */
  clusterName: usize;
  clusterLength: i32;
  /** The same cluster, interned for keys. */
  cluster: u32;
  /** Bins that have a sample keep it; holds for all batches. */
  onlyMissing: bool;

  /** A batch begins. */
  begin(text: usize, clusterName: usize, clusterLength: i32, perSecond: i32, now: f64): void {
    this.text = text;
    this.clusterName = clusterName;
    this.clusterLength = clusterLength;
    this.cluster = clusterIntern(clusterName, clusterLength);
    this.perSecond = <u64>perSecond;
    this.now = <i64>now;
  }

  /** Unix seconds of a timestamp. */
  timeOf(timestamp: u64): i64 {
    return toSeconds(timestamp, this.perSecond);
  }
}

export const source = changetype<Source>(memory.data(offsetof<Source>(), 8));

/** Since the start. */
@unmanaged
class Totals {
  stored: f64;
  skipped: f64;
  leftOut: f64;

  /** Lines refused for a reason, f64. */
  refused(reason: i32): usize {
    return changetype<usize>(this) + offsetof<Totals>() + (<usize>reason << 3);
  }
}

const totals = changetype<Totals>(memory.data(8 * 3 + 8 * (LAST_LINE_ERROR + 1), 8));

export function linesStored(): f64 {
  return totals.stored;
}
export function linesSkipped(): f64 {
  return totals.skipped;
}
/** Fields left out since start. */
export function fieldsLeftOut(): f64 {
  return totals.leftOut;
}
/** Lines refused for a reason since start. */
export function linesRefused(reason: i32): f64 {
  return load<f64>(totals.refused(reason));
}

/** Whether what is stored from now on leaves bins alone that have a sample. */
export function storeOnlyMissing(on: bool): void {
  source.onlyMissing = on;
}

/** Begins a batch; the parameters are those of `ingest` (lines.ts). @returns false when linear memory is exhausted. */
export function batchBegin(
  text: usize,
  clusterName: usize,
  clusterLength: i32,
  unitsPerSecond: i32,
  nowSeconds: f64,
  oldest: f64,
  newest: f64,
  isTrusted: bool,
): bool {
  clockBegin(oldest, newest, isTrusted);
  runs.clear();
  batch.clear();
  source.begin(text, clusterName, clusterLength, unitsPerSecond, nowSeconds);
  return log.open();
}

/** Ends it: its log frame is whole. */
export function batchEnd(): void {
  log.close();
  totals.stored += <f64>batch.stored;
  totals.skipped += <f64>batch.skipped;
  totals.leftOut += <f64>batch.leftOut;
}

/** Counts and describes a refused line: its number, from 1, and a LineError. */
export function refuse(line: i32, reason: i32): void {
  refuseTag(line, reason, 0, 0);
}

/** The same for a tag of n bytes at p. */
export function refuseTag(line: i32, reason: i32, p: usize, n: i32): void {
  const refusal = batch.describe();
  if (refusal) {
    const isOfTime = reason == LineError.TimestampTooNew || reason == LineError.TimestampTooOld;
    refusal.line = line;
    refusal.reason = reason;
    refusal.fault = isOfTime ? clock.lastFault : 0;
    refusal.tag = p;
    refusal.tagLength = n;
  }
  batch.refused++;
  const total = totals.refused(reason);
  store<f64>(total, load<f64>(total) + 1);
}

/** Notes the host of a line whose time is at fault. @returns whether the line is refused. */
export function isRefused(fault: i32, seconds: i64, host: Node): bool {
  const cluster = host.parent;
  noteFault(fault, seconds, cluster.name, cluster.nameLength, host.name, host.nameLength);
  return clock.isTrusted;
}
