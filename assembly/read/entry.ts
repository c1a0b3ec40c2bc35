/**
 * One entry of a query's answer: the series found are read, rolled up when there are several, scaled, resampled, and
 * written as JSON:
 *
 *   {"error":"..","from":0,"to":0,"resolution":0,"avg":0,"min":0,"max":0}
 *   {"data":[1.5,null],"from":1,"to":3,"resolution":1,"avg":1.5,"min":1.5,"max":1.5}
 */
import { endBin, firstBin } from '../series/blocks';
import { Aggregation, QueryError } from '../../src/wasm/codes';
import { Kind, alloc, capacity, free, realloc } from '../memory/alloc';
import { divide, scale, stats, statCount, statMax, statMin, statSum } from './kernels';
import { Metric } from '../series/metrics';
import { Series } from '../series/records';
import { advance, ensure, outEnd, putAscii, putChar } from '../memory/out';
import { FIXED_MAX_BYTES, printFixed2, printFixed3s, printI64, printString } from '../text/print';
import { rangeCount, rangeMax, rangeMin, rangeStats, rangeSum } from './read';
import { lttb, lttbPoints } from './resample';
import { rollUp } from './rollup';
import { seriesIn } from './series-list';

/** Shorter answers are never resampled. */
const RESAMPLE_FROM: i32 = 1000;
/**
 * Most bins of one answer, padding not counted: 194 days at one second. Two samples may be thirty years apart, and what lies
 * between them must not take gigabytes.
 */
const MAX_COUNT: i64 = 1 << 24;
/** Values printed between two checks for room. */
const PRINT_STEP: i32 = 256;
/** Scratch that one long answer has grown beyond this is given back, bytes. */
const KEEP: u32 = 4 << 20;

export const WITH_STATS: u32 = 1;
export const WITH_DATA: u32 = 2;
export const WITH_PADDING: u32 = 4;

/** The series of the entry, u32 addresses. */
let found: usize = 0;
let foundCount: i32 = 0;
/** Bins of the answer, and the resampled ones. */
let values: usize = 0;
let resampled: usize = 0;

/** Starts an entry without series. */
export function entryReset(): void {
  foundCount = 0;
}

/** Makes room for n more series. False when memory is exhausted. */
function makeRoom(n: i32): bool {
  const need = <u32>(foundCount + n) << 2;
  if (found && capacity(found) >= need) return true;
  const p = realloc(found, max<u32>(1024, need * 2), Kind.SCRATCH);
  if (!p) return false;
  found = p;
  return true;
}

/** Adds a series. False when memory is exhausted. */
export function entryAdd(s: Series): bool {
  if (!makeRoom(1)) return false;
  store<u32>(found + (<usize>foundCount << 2), <u32>changetype<usize>(s));
  foundCount++;
  return true;
}

/** Adds n series. @param list u32 addresses. False when memory is exhausted. */
export function entryAddAll(list: usize, n: i32): bool {
  if (!makeRoom(n)) return false;
  memory.copy(found + (<usize>foundCount << 2), list, <usize>n << 2);
  foundCount += n;
  return true;
}

/** Addresses of the series added so far, u32; valid until the next is added. */
export function entrySeries(): usize {
  return found;
}

/** Series added so far. */
export function entryCount(): i32 {
  return foundCount;
}

function series(i: i32): Series {
  return seriesIn(found, i);
}

/** Scratch of at least n doubles plus what codecs overwrite; 0 when memory is exhausted. */
function scratch(p: usize, n: i32): usize {
  const need = <u32>(n << 3) + 128;
  if (p && capacity(p) >= need) return p;
  free(p, Kind.SCRATCH);
  return alloc(need, Kind.SCRATCH);
}

/** Gives large scratch back. */
export function entryRelease(): void {
  if (values && capacity(values) > KEEP) {
    free(values, Kind.SCRATCH);
    values = 0;
  }
  if (resampled && capacity(resampled) > KEEP) {
    free(resampled, Kind.SCRATCH);
    resampled = 0;
  }
}

/** Unix seconds of the middle of the series' first bin. */
function firstTime(s: Series, f: i64): i64 {
  return s.timeOf(firstBin(s)) + f / 2;
}

/** Bins from a time on, unix seconds, until the series that ends first does. */
function binsFrom(time: i64): i64 {
  let anchor = series(0).anchor;
  let bin = series(0).binOf(time);
  let n = i64.MAX_VALUE;
  for (let i = 0; i < foundCount; i++) {
    const s = series(i);
    // Series of a host mostly begin together: that spares a division for each.
    if (s.anchor != anchor) {
      anchor = s.anchor;
      bin = s.binOf(time);
    }
    n = min(n, <i64>endBin(s) - bin);
  }
  return max<i64>(0, n);
}

/** Nulls of padding written in one step; more are written in further steps, so that a `from` of 0 costs no memory. */
const PADDING_STEP: i64 = 32768;
/** Set by `writeEntry`: padding to be written by `writePadding`: all of it but the last null, which ends with the data. */
export let entryPadding: i64 = 0;

/** Writes padding from null number `written` on. @returns how much is written now. */
export function writePadding(written: i64, total: i64): i64 {
  const n = min(PADDING_STEP, total - written);
  if (!ensure(<u32>n * 5 + 64)) return written;
  if (!written) putAscii('{"data":[');
  for (let i: i64 = 0; i < n; i++) {
    store<u64>(outEnd, NULL_COMMA);
    advance(outEnd + 5);
  }
  return written + n;
}

/**
 * Writes the entry. Preconditions: at least one series was added, from <= to.
 * @param resolution seconds, as asked for; @param factor of `scale-by`, 0 = none.
 * @param padded nulls written by `writePadding` already.
 * @returns false when memory is exhausted, or when `entryPadding` nulls must be written by `writePadding` first.
 */
export function writeEntry(metric: Metric, from: i64, to: i64, flags: u32, resolution: i64, factor: f64, padded: i64): bool {
  entryPadding = 0;
  const f = <i64>metric.frequency;
  const aggregation = metric.aggregation;
  if (foundCount > 1 && aggregation == Aggregation.None) {
    // A series that came while padding was written: too late for an error.
    return padded ? writeEmptyEnd(from) : writeError(QueryError.NoAggregation, 0, 0, 0, 0);
  }
  if (resolution > f && resolution % f != 0) return writeError(QueryError.BadResolution, 0, 0, resolution, f);

  // The answer starts when it was asked to, or with the series that starts first; it ends with the one that ends first.
  let start = firstTime(series(0), f);
  for (let i = 1; i < foundCount && start > from; i++) start = min(start, firstTime(series(i), f));
  const first = max(start, from);
  const n = min(to > first ? (to - first + f - 1) / f : 0, binsFrom(first));
  const headersSuffice = foundCount == 1 && !(flags & WITH_DATA) && resolution <= f;
  if (n > MAX_COUNT && !headersSuffice) return padded ? writeEmptyEnd(from) : writeError(QueryError.TooLong, 0, 0, n, MAX_COUNT);
  // Once padding is written, it stays as long as it is, even if the series' start moved meanwhile.
  const padding = padded ? padded + 1 : flags & WITH_PADDING && start > from ? start / f - from / f : 0;
  if (flags & WITH_DATA && padding > PADDING_STEP && !padded) {
    entryPadding = padding - 1;
    return false;
  }
  start = first;
  const count = <i32>n;

  const points = resolution > f && count >= RESAMPLE_FROM ? lttbPoints(count, <i32>(n * f / resolution)) : count;
  const isResampled = points < count;
  const single = foundCount == 1;
  const headersOnly = single && !isResampled && !(flags & WITH_DATA);
  let shown: usize = 0;
  if (!headersOnly && count) {
    values = scratch(values, count);
    if (!values) return false;
    rollUp(found, foundCount, start, count, values);
    if (!single && aggregation == Aggregation.Avg) divide(values, count, <f64>foundCount);
    if (factor != 0 && factor != 1) scale(values, count, factor);
    shown = values;
    if (isResampled) {
      resampled = scratch(resampled, points);
      if (!resampled) return false;
      lttb(values, count, resampled, points);
      shown = resampled;
    }
  }

  if (!ensure(256)) return false;
  if (!padded) putChar(0x7b);
  if (flags & WITH_DATA && (points || padding)) {
    if (!writeData(shown, points, padding, padded)) return false;
  }
  writeRange(start, start + n * f, isResampled ? resolution : f);
  if (!(flags & WITH_STATS)) return writeZeros();
  if (headersOnly) {
    rangeStats(series(0), <i32>series(0).binOf(start), count);
    const k = factor != 0 ? factor : 1;
    return writeStats(rangeCount, rangeSum * k, rangeMin * k, rangeMax * k);
  }
  if (!count) return writeStats(0, 0, 0, 0);
  stats(shown, points);
  // A negative factor has turned minimum and maximum round; the protocol scales each.
  if (factor < 0) return writeStats(statCount, statSum, statMax, statMin);
  return writeStats(statCount, statSum, statMin, statMax);
}

const NULL_COMMA: u64 = 0x2c6c6c756e; // null,

function writeData(p: usize, n: i32, padding: i64, padded: i64): bool {
  if (!padded) putAscii('"data":[');
  for (let i = padded; i < padding; i++) {
    if (!ensure(16)) return false;
    store<u64>(outEnd, NULL_COMMA);
    advance(outEnd + 5);
  }
  for (let i = 0; i < n; i += PRINT_STEP) {
    if (!ensure(PRINT_STEP * (FIXED_MAX_BYTES + 1) + 16)) return false;
    advance(printFixed3s(outEnd, p + (<usize>i << 3), min(PRINT_STEP, n - i)));
    store<u8>(outEnd, 0x2c);
    advance(outEnd + 1);
  }
  // The last comma becomes the bracket.
  store<u16>(outEnd - 1, 0x2c5d);
  advance(outEnd + 1);
  return ensure(256);
}

/** Ends an entry of which only padding was written, because its series are gone. */
export function writeEmptyEnd(from: i64): bool {
  if (!ensure(256)) return false;
  putAscii('null],');
  writeRange(from, from, 0);
  return writeStats(0, 0, 0, 0);
}

function putInteger(v: i64): void {
  advance(printI64(outEnd, v));
}

function writeRange(from: i64, to: i64, resolution: i64): void {
  putAscii('"from":');
  putInteger(from);
  putAscii(',"to":');
  putInteger(to);
  putAscii(',"resolution":');
  putInteger(resolution);
}

function writeZeros(): bool {
  putAscii(',"avg":0,"min":0,"max":0}');
  return true;
}

function writeStats(count: i32, sum: f64, low: f64, high: f64): bool {
  if (!ensure(3 * FIXED_MAX_BYTES + 64)) return false;
  putAscii(',"avg":');
  advance(printFixed2(outEnd, count ? sum / <f64>count : NaN));
  putAscii(',"min":');
  advance(printFixed2(outEnd, count ? low : NaN));
  putAscii(',"max":');
  advance(printFixed2(outEnd, count ? high : NaN));
  putChar(0x7d);
  return true;
}

/**
 * Writes an entry that is an error.
 * @param name, n of the metric, for UnknownMetric; @param resolution, frequency seconds, for BadResolution; for TooLong samples and
 * how many may be.
 * @returns false when memory is exhausted.
 */
export function writeError(error: i32, name: usize, n: i32, resolution: i64, frequency: i64): bool {
  if (!ensure(512 + 6 * n)) return false;
  putAscii('{"error":');
  if (error == QueryError.UnknownMetric) {
    // The name is printed with its quotes; the text goes in front of it, inside them.
    putAscii('"unknown metric: ');
    const text = outEnd;
    const end = printString(text, name, n);
    memory.copy(text, text + 1, end - text - 1);
    advance(end - 1);
  } else if (error == QueryError.FromAfterTo) putAscii(`"invalid time range: 'from' is after 'to'"`);
  else if (error == QueryError.NoAggregation) putAscii('"invalid aggregation: several series, but the aggregation of the metric is null"');
  else if (error == QueryError.TooLong) {
    putAscii('"range too long: ');
    putInteger(resolution);
    putAscii(' samples, at most ');
    putInteger(frequency);
    putAscii(' are answered at once"');
  } else {
    putAscii('"new sampling frequency (');
    putInteger(resolution);
    putAscii(') must be a multiple of old frequency (');
    putInteger(frequency);
    putAscii(')"');
  }
  putAscii(',');
  writeRange(0, 0, 0);
  return writeZeros();
}
