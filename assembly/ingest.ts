/**
 * Stores a batch of line protocol.
 *
 * Fast path, a line: 1. the key that followed the last line's key the last time is compared with the text (SIMD), else
 * the prefix up to its blank is looked up by hash; 2. ` value=` and the number; 3. the timestamp, mostly the same text as
 * in the line before; 4. the newline. The sample goes to the open block and the log. Whatever differs goes to the slow
 * path (line.ts), which parses the whole line anew: the fast path never decides that a line is bad.
 */
import { LAST_LINE_ERROR, LineError, Precision } from '../src/wasm/codes';
import { RefusalField } from '../src/wasm/layouts';
import { clock, clockBegin, noteFault } from './clock';
import { Key, keyAdd, keyAt, keyFind, clusterIntern } from './series/keys';
import {
  cluster,
  fieldsEnd,
  host,
  level,
  lineEnd,
  lineHasTimestamp,
  linePrefixEnd,
  lineTimestamp,
  lineValue,
  measurement,
  nameAt,
  nameIsSafe,
  nameLength,
  parseLine,
  skipBlanks,
  sublevel,
  toSeconds,
  MAX_NAME,
} from './text/line';
import { log, logSample } from './durable/log';
import { metricFind } from './series/metrics';
import { parseTerminated, parseUnsigned, parsedInteger, parsedValue } from './text/number';
import { partitionOf } from './series/partition';
import { roundSample } from './text/round';
import { runs } from './runs';
import { holdsSample } from './read/holds';
import { writeSample } from './series/samples';
import { seriesEnsure } from './series/series';
import { seriesRemove } from './series/remove';
import { Node } from './series/records';
import { hostOf, nodeEnsure, nodePrune, root } from './series/tree';

/** " value=" as the low seven bytes of a little-endian u64. */
const VALUE_WORD: u64 = 0x003d65756c617620;
const SEVEN_BYTES: u64 = 0x00ffffffffffffff;

/** No two bytes of text. */
const NO_TIME: u32 = ~0;

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
export const refusals: usize = memory.data(RefusalField.Size * MAX_REFUSALS, 8);
/** Refusals described by the last `ingest`. */
export let refusalCount: i32 = 0;
/** Figures of the last `ingest`: lines of the text that were not blank, and what became of them. */
export let batchStored: i32 = 0;
export let batchSkipped: i32 = 0;
export let batchRefused: i32 = 0;
/** Lines of the last text, blank ones included: where the next piece of the same body goes on counting. */
export let batchLines: i32 = 0;
/** Fields that hold no number, of lines of several fields (ingest-fields.ts). */
export let batchLeftOut: i32 = 0;

/** Lines refused since start, f64 by LineError. */
const totals: usize = memory.data(8 * (LAST_LINE_ERROR + 1), 8);
/** Place of the host of the line that is refused, if its time is at fault; see `noteFault`. */
let faultOfLine: i32 = 0;
let totalStored: f64 = 0;
let totalSkipped: f64 = 0;
let totalLeftOut: f64 = 0;

/** This partition among all: lines of others' hosts are not stored but noted as runs (runs.ts). CHECKS_ONLY: all are others'. */
let self: u32 = 0;
let partitions: u32 = 1;
/** Start of the text. */
let text: usize = 0;

/** Bins that have a sample keep it. */
export let onlyMissing: bool = false;

/** Whether what is stored from now on leaves bins alone that have a sample. */
export function storeOnlyMissing(on: bool): void {
  onlyMissing = on;
}

/** Says which hosts are this core's (none: CHECKS_ONLY); once, before anything is stored. */
export function setPartition(index: i32, count: i32): void {
  self = <u32>index;
  partitions = <u32>count;
}

let defaultName: usize = 0;
let defaultLength: i32 = 0;
export let defaultCluster: u32 = 0;
let perSecond: u64 = 0;
export let now: i64 = 0;
/** Key of the line before and its slot. A stored line may drop that key, so `storeLine` looks again. */
let lastKey: Key | null = null;
let lastSlot: u32 = 0;

export function linesStored(): f64 {
  return totalStored;
}
export function linesSkipped(): f64 {
  return totalSkipped;
}
/** Fields left out since start. */
export function fieldsLeftOut(): f64 {
  return totalLeftOut;
}
/** Lines refused for a reason since start. */
export function linesRefused(reason: i32): f64 {
  return load<f64>(totals + (<usize>reason << 3));
}

/**
 * Stores the lines of [p, p + n), log included; the text is not kept. Lines of other partitions' hosts are noted as runs.
 * Precondition: STAGING_SLACK bytes after the text are readable; the first is overwritten during the call and restored.
 * @param clusterName for lines without a cluster tag; empty: such lines are refused.
 * @param unitsPerSecond of the timestamps; 0: by magnitude. @param nowSeconds for lines without a timestamp.
 * @param oldest, newest unix seconds, of timestamps that are not at fault. @param isTrusted whether others are refused.
 * @returns false when linear memory is exhausted before anything was stored.
 */
export function ingest(
  p: usize,
  n: i32,
  clusterName: usize,
  clusterLength: i32,
  unitsPerSecond: i32,
  nowSeconds: f64,
  oldest: f64,
  newest: f64,
  isTrusted: bool,
): bool {
  if (!ingestBegin(p, clusterName, clusterLength, unitsPerSecond, nowSeconds, oldest, newest, isTrusted)) return false;
  // A terminator behind the text, so that numbers need not look where it ends.
  const behind = load<u8>(p + <usize>n);
  store<u8>(p + <usize>n, 0x0a);
  readLines(p, p + <usize>n);
  store<u8>(p + <usize>n, behind);
  ingestEnd();
  return true;
}

/** What `ingest` begins with. @returns false when linear memory is exhausted. */
export function ingestBegin(
  p: usize,
  clusterName: usize,
  clusterLength: i32,
  unitsPerSecond: i32,
  nowSeconds: f64,
  oldest: f64,
  newest: f64,
  isTrusted: bool,
): bool {
  text = p;
  clockBegin(oldest, newest, isTrusted);
  runs.clear();
  refusalCount = 0;
  batchStored = 0;
  batchSkipped = 0;
  batchRefused = 0;
  batchLines = 0;
  batchLeftOut = 0;
  defaultName = clusterName;
  defaultLength = clusterLength;
  defaultCluster = clusterIntern(clusterName, clusterLength);
  perSecond = <u64>unitsPerSecond;
  now = <i64>nowSeconds;
  lastKey = null;
  lastSlot = 0;
  return log.open();
}

/** What it ends with. */
export function ingestEnd(): void {
  log.close();
  totalStored += <f64>batchStored;
  totalSkipped += <f64>batchSkipped;
  totalLeftOut += <f64>batchLeftOut;
}

/** Counts lines of several fields: lines, samples stored, fields of unknown metrics, fields that hold no number. */
export function countBatch(lines: i32, stored: i32, skipped: i32, leftOut: i32): void {
  batchLines += lines;
  batchStored += stored;
  batchSkipped += skipped;
  batchLeftOut += leftOut;
}

function readLines(p: usize, end: usize): void {
  // The last timestamp's ten digits as bytes, and its value in seconds. NO_TIME: it has not ten digits.
  let timeHigh: u64 = 0;
  let timeLow: u32 = NO_TIME;
  let seconds: i64 = 0;
  let fault: i32 = LineError.None;
  let stored = 0;
  let lines = 0;
  const byDefault = defaultCluster;
  while (p < end) {
    lines++;
    const before = lastKey;
    const predicted: u32 = before ? before.next : 0;
    let key = keyAt(predicted);
    if (key && key.matches(p, end, byDefault)) {
      lastKey = key;
      lastSlot = predicted;
    } else key = lookUp(p, end);
    if (key) {
      const q = p + <usize>key.length;
      const s = key.series;
      if (!s) {
        const stop = fieldsEnd(q, end);
        batchSkipped++;
        p = stop + 1;
        continue;
      }
      if ((load<u64>(q) & SEVEN_BYTES) == VALUE_WORD && q + 8 < end) {
        let v = parseTerminated(q + 7);
        if (v && load<u8>(v) == 0x20) {
          let value = parsedValue;
          v++;
          let stop = v + 10;
          if (stop < end && load<u8>(stop) == 0x0a && load<u64>(v) == timeHigh && <u32>load<u16>(v + 8) == timeLow) {
            // The same second as the line before.
          } else {
            stop = parseUnsigned(v, end);
            if (!stop || (stop < end && load<u8>(stop) != 0x0a)) {
              p = slowLine(p, end, lines);
              continue;
            }
            seconds = toSeconds(parsedInteger, perSecond);
            timeHigh = load<u64>(v);
            timeLow = stop == v + 10 ? <u32>load<u16>(v + 8) : NO_TIME;
            fault = clock.error(seconds);
          }
          if (fault && isRefused(fault, seconds, hostOf(s.node))) {
            refuse(lines, fault);
            p = stop + 1;
            continue;
          }
          if (onlyMissing && holdsSample(s, seconds)) {
            stored++;
            p = stop + 1;
            continue;
          }
          const metric = s.metric;
          const precision = metric.precision;
          if (precision != Precision.Double) value = roundSample(value, precision);
          const error = writeSample(s, seconds, value, <i64>metric.frequency);
          if (error != LineError.None || !log.sample(s, seconds, value)) refuse(lines, error ? error : LineError.OutOfMemory);
          else stored++;
          p = stop + 1;
          continue;
        }
      }
    }
    p = slowLine(p, end, lines);
  }
  batchStored += stored;
  batchLines = lines;
}

/** The key of the line at p by hash, linked as the prediction behind the last one; null when unknown or in unusual form. */
function lookUp(p: usize, end: usize): Key | null {
  const n = prefixLength(p, end);
  if (n <= 0) return null;
  const slot = keyFind(p, n, defaultCluster);
  if (!slot) return null;
  return follow(slot);
}

function follow(slot: u32): Key | null {
  const key = keyAt(slot);
  const before = lastKey;
  if (before) before.next = slot;
  lastKey = key;
  lastSlot = slot;
  return key;
}

/** Bytes up to the first blank; 0 when an escape or the line's end comes first. */
export function prefixLength(p: usize, end: usize): i32 {
  const blank = i8x16.splat(0x20);
  const escape = i8x16.splat(0x5c);
  const newline = i8x16.splat(0x0a);
  let q = p;
  while (q < end) {
    const v = v128.load(q);
    const hits = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, blank), i8x16.eq(v, escape)), i8x16.eq(v, newline)));
    if (hits) {
      q += ctz(hits);
      return q < end && load<u8>(q) == 0x20 ? <i32>(q - p) : 0;
    }
    q += 16;
  }
  return 0;
}

/** Notes the host of a line whose time is at fault. @returns whether the line is refused. */
export function isRefused(fault: i32, seconds: i64, host: Node): bool {
  const cluster = host.parent;
  faultOfLine = noteFault(fault, seconds, cluster.name, cluster.nameLength, host.name, host.nameLength);
  return clock.isTrusted;
}

/** Counts and describes a refused line: its number, from 1, and a LineError. */
export function refuse(line: i32, reason: i32): void {
  refuseTag(line, reason, 0, 0);
}

/** The same for a tag of n bytes at p. */
export function refuseTag(line: i32, reason: i32, p: usize, n: i32): void {
  if (refusalCount < MAX_REFUSALS) {
    const refusal = changetype<Refusal>(refusals + <usize>refusalCount * RefusalField.Size);
    refusal.line = line;
    refusal.reason = reason;
    const isOfTime = reason == LineError.TimestampTooNew || reason == LineError.TimestampTooOld;
    refusal.fault = isOfTime ? faultOfLine : 0;
    refusal.tag = p;
    refusal.tagLength = n;
    refusalCount++;
  }
  batchRefused++;
  const total = totals + (<usize>reason << 3);
  store<f64>(total, load<f64>(total) + 1);
}

/** Takes the line at p in any form. Returns where the next one starts. */
function slowLine(p: usize, end: usize, line: i32): usize {
  const stop = lineEnd(p, end);
  let start = p;
  start = skipBlanks(start, stop);
  if (start == stop || load<u8>(start) == 0x23) return stop + 1;
  const error = storeLine(start, stop, line);
  if (error != LineError.None) refuse(line, error);
  return stop + 1;
}

/** What `claimLine` says of a line of another partition's host. */
export const STRAYED: i32 = -1;

let clusterAt: usize = 0;
let clusterLength: i32 = 0;

/** Finds the cluster of the line whose tags were parsed last. @returns LineError. */
export function findCluster(): i32 {
  clusterAt = nameAt(cluster);
  clusterLength = nameLength(cluster);
  if (clusterLength) return LineError.None;
  clusterAt = defaultName;
  clusterLength = defaultLength;
  if (!clusterLength) return LineError.NoCluster;
  if (clusterLength > MAX_NAME) return LineError.NameTooLong;
  return nameIsSafe(clusterAt, clusterLength) ? LineError.None : LineError.UnsafeName;
}

function ownerOfLine(): u32 {
  return partitionOf(clusterAt, clusterLength, nameAt(host), nameLength(host), partitions);
}

/** Whether the line is this partition's, after `findCluster`. */
export function isOwnLine(): bool {
  return ownerOfLine() == self;
}

/**
 * Finds whose the line is, after `findCluster`. @param line its number, from 1.
 * @returns None: this partition's; STRAYED: another's, noted as a run; else a LineError.
 */
export function claimLine(p: usize, stop: usize, line: i32): i32 {
  const owner = ownerOfLine();
  if (owner == self) return LineError.None;
  return runs.add(owner, <u32>(p - text), <u32>(stop - p) + 1, line - 1, 1) ? STRAYED : LineError.OutOfMemory;
}

/** The node of a line of this partition, after `findCluster`; made when missing. Null when memory is exhausted. */
export function nodeOfLine(): Node | null {
  let node = nodeEnsure(root, clusterAt, clusterLength);
  if (node) node = nodeEnsure(node, nameAt(host), nameLength(host));
  if (node && nameLength(level)) node = nodeEnsure(node, nameAt(level), nameLength(level));
  if (node && nameLength(sublevel)) node = nodeEnsure(node, nameAt(sublevel), nameLength(sublevel));
  return node;
}

/** Notes the host of a line, after `findCluster`, because its time is at fault. @returns whether the line is refused. */
export function isFaultRefused(fault: i32, seconds: i64): bool {
  faultOfLine = noteFault(fault, seconds, clusterAt, clusterLength, nameAt(host), nameLength(host));
  return clock.isTrusted;
}

/** Unix seconds of a timestamp, in the units of the request. */
export function timeOf(timestamp: u64): i64 {
  return toSeconds(timestamp, perSecond);
}

function storeLine(p: usize, stop: usize, line: i32): i32 {
  const parsed = parseLine(p, stop);
  const metric = metricFind(nameAt(measurement), nameLength(measurement));
  if (!metric && parsed != LineError.NoMetric) {
    batchSkipped++;
    const n = prefixLength(p, stop);
    if (n > 0) keyAdd(p, n, defaultCluster, null);
    return LineError.None;
  }
  if (parsed != LineError.None || !metric) return parsed;
  const unnamed = findCluster();
  if (unnamed != LineError.None) return unnamed;
  const seconds = lineHasTimestamp ? timeOf(lineTimestamp) : now;
  const fault = clock.error(seconds);
  if (fault && isFaultRefused(fault, seconds)) return fault;
  const claimed = claimLine(p, stop, line);
  if (claimed == STRAYED) return LineError.None;
  if (claimed != LineError.None) return claimed;
  const node = nodeOfLine();
  if (!node) return LineError.OutOfMemory;
  const s = seriesEnsure(node, metric);
  if (!s) {
    nodePrune(node);
    return LineError.OutOfMemory;
  }
  if (onlyMissing && holdsSample(s, seconds)) {
    batchStored++;
    return LineError.None;
  }
  const value = roundSample(lineValue, metric.precision);
  const error = writeSample(s, seconds, value, <i64>metric.frequency);
  if (error != LineError.None) {
    if (s.isEmpty) {
      seriesRemove(s);
      lastKey = keyAt(lastSlot);
    }
    return error;
  }
  if (!logSample(s, seconds, value)) return LineError.OutOfMemory;
  batchStored++;
  // Remembered unless a tag is escaped: the prefix search of the fast path stops at escapes.
  const n = prefixLength(p, stop);
  if (n > 0 && p + <usize>n == linePrefixEnd) {
    const known = keyFind(p, n, defaultCluster);
    const slot = known ? known : keyAdd(p, n, defaultCluster, s);
    lastKey = keyAt(lastSlot);
    if (slot) follow(slot);
  }
  return LineError.None;
}
