/**
 * Stores lines of one field, as ClusterCockpit's collectors send them.
 *
 * Fast path, a line: 1. the key that followed the last line's key the last time is compared with the text (SIMD), else
 * the prefix up to its blank is looked up by hash; 2. ` value=` and the number; 3. the timestamp, mostly the same text as
 * in the line before; 4. the newline. The sample goes to the open block and the log. Whatever differs goes to the slow
 * path (text/line.ts), which parses the whole line anew: the fast path never decides that a line is bad.
 */
import { LineError, Precision } from '../../src/wasm/tables/codes';
import { log, logSample } from '../durable/log';
import { holdsSample } from '../read/holds';
import { Key, keyAdd, keyAt, keyFind, tagsAdd, tagsFind } from '../series/keys';
import { metricFind, metricUnit } from '../series/metrics';
import { seriesRemove } from '../series/remove';
import { writeSample } from '../series/samples';
import { seriesEnsure } from '../series/series';
import { hostOf, nodePrune } from '../series/tree';
import { level, measurement, measurementLength, parseLine, parsedLine, unit } from '../text/line';
import { fieldsEnd, lineEnd, skipBlanks } from '../text/line-end';
import { parseTerminated, parseUnsigned, parsed } from '../text/number';
import { roundSample } from '../text/round';
import { batch, isRefused, refuse, source } from './batch';
import { clock } from './clock';
import { STRAYED, claimLine, findCluster, isChecksOnly, isFaultRefused, nodeOfLine, ownerOfClaimed } from './place';
import { rowOf } from './unconfigured';

/** " value=" as the low seven bytes of a little-endian u64. */
export const VALUE_WORD: u64 = 0x003d65756c617620;
export const SEVEN_BYTES: u64 = 0x00ffffffffffffff;

/** No two bytes of text. */
export const NO_TIME: u32 = ~0;

/** The key of the line before, which predicts that of the next one. */
@unmanaged
class LastKey {
  key: Key | null;
  /** Its slot. A stored line may drop the key, so `storeLine` looks again. */
  slot: u32;

  set(slot: u32, key: Key | null): void {
    this.slot = slot;
    this.key = key;
  }

  /** The key in the slot comes next: it is predicted from now on. */
  follow(slot: u32): void {
    const before = this.key;
    if (before) before.next = slot;
    this.set(slot, keyAt(slot));
  }
}

const last = changetype<LastKey>(memory.data(offsetof<LastKey>(), 8));

/** Stores the lines of [p, end), one field each; a newline stands at `end`. */
export function readLines(p: usize, end: usize): void {
  // The last timestamp's ten digits as bytes, and its value in seconds. NO_TIME: it has not ten digits.
  let timeHigh: u64 = 0;
  let timeLow: u32 = NO_TIME;
  let seconds: i64 = 0;
  let fault: i32 = LineError.None;
  let stored = 0;
  let lines = 0;
  const cluster = source.cluster;
  last.set(0, null);
  while (p < end) {
    lines++;
    const before = last.key;
    const predicted: u32 = before ? before.next : 0;
    let key = keyAt(predicted);
    if (key && key.matches(p, end, cluster)) last.set(predicted, key);
    else key = lookUp(p, end);
    if (key) {
      const q = p + <usize>key.length;
      const s = key.series;
      if (!s) {
        const stop = fieldsEnd(q, end);
        noteAgain(p, q, end);
        batch.skipped++;
        p = stop + 1;
        continue;
      }
      if ((load<u64>(q) & SEVEN_BYTES) == VALUE_WORD && q + 8 < end) {
        let v = parseTerminated(q + 7);
        if (v && load<u8>(v) == 0x20) {
          let value = parsed.value;
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
            seconds = source.timeOf(parsed.integer);
            timeHigh = load<u64>(v);
            timeLow = stop == v + 10 ? <u32>load<u16>(v + 8) : NO_TIME;
            fault = clock.error(seconds);
          }
          if (fault && isRefused(fault, seconds, hostOf(s.node))) {
            refuse(lines, fault);
            p = stop + 1;
            continue;
          }
          if (source.onlyMissing && holdsSample(s, seconds)) {
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
  batch.stored += stored;
  batch.lines = lines;
}

/** The key of the line at p by hash, linked as the prediction behind the last one; null when unknown or in unusual form. */
function lookUp(p: usize, end: usize): Key | null {
  const n = prefixLength(p, end);
  if (n <= 0) return null;
  const slot = keyFind(p, n, source.cluster);
  if (!slot) return null;
  last.follow(slot);
  return last.key;
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

/** Takes the line at p in any form. Returns where the next one starts. */
export function slowLine(p: usize, end: usize, line: i32): usize {
  const stop = lineEnd(p, end);
  let start = p;
  start = skipBlanks(start, stop);
  if (start == stop || load<u8>(start) == 0x23) return stop + 1;
  const error = storeLine(start, stop, line);
  if (error != LineError.None) refuse(line, error);
  return stop + 1;
}

/** Notes the line from p to `stop`, which has been parsed, as one of a metric that is not configured. */
function noteUnconfigured(p: usize, stop: usize): void {
  const row = rowOf(measurement.text, measurement.length);
  if (!row) return;
  row.note(p, parsedLine.prefixEnd, stop);
  if (!parsedLine.error) row.noteLevel(level.text, level.length);
  row.isPlaced = true;
}

/** The same for a line with a known prefix from p to q, whose tags are parsed anew only if its name has been forgotten. */
export function noteAgain(p: usize, q: usize, end: usize): void {
  const row = rowOf(p, measurementLength(p, q));
  if (row && row.isPlaced) row.note(p, q, end);
  else if (row) {
    const stop = fieldsEnd(q, end);
    parseLine(p, stop);
    noteUnconfigured(p, stop);
  }
}

/** Remembers the tags of the good line from p to `stop`, which was claimed last, unless there is an escape in them. */
function rememberTags(p: usize, stop: usize): void {
  const n = prefixLength(p, stop);
  if (n <= 0 || p + <usize>n != parsedLine.prefixEnd) return;
  const measured = measurementLength(p, p + <usize>n);
  const tags = p + <usize>measured;
  if (!tagsFind(tags, n - measured, source.cluster)) tagsAdd(tags, n - measured, source.cluster, ownerOfClaimed());
}

function storeLine(p: usize, stop: usize, line: i32): i32 {
  const parsed = parseLine(p, stop);
  const metric = metricFind(measurement.text, measurement.length);
  if (!metric && parsed != LineError.NoMetric) {
    batch.skipped++;
    noteUnconfigured(p, stop);
    const n = prefixLength(p, stop);
    if (n > 0) keyAdd(p, n, source.cluster, null);
    return LineError.None;
  }
  if (parsed != LineError.None || !metric) return parsed;
  const unnamed = findCluster();
  if (unnamed != LineError.None) return unnamed;
  const seconds = parsedLine.hasTimestamp ? source.timeOf(parsedLine.timestamp) : source.now;
  const fault = clock.error(seconds);
  if (fault && isFaultRefused(fault, seconds)) return fault;
  const claimed = claimLine(p, stop, line);
  if (claimed == STRAYED) {
    if (isChecksOnly()) rememberTags(p, stop);
    return LineError.None;
  }
  if (claimed != LineError.None) return claimed;
  const node = nodeOfLine();
  if (!node) return LineError.OutOfMemory;
  if (unit.length) metricUnit(metric, unit.text, unit.length);
  const s = seriesEnsure(node, metric);
  if (!s) {
    nodePrune(node);
    return LineError.OutOfMemory;
  }
  if (source.onlyMissing && holdsSample(s, seconds)) {
    batch.stored++;
    return LineError.None;
  }
  const value = roundSample(parsedLine.value, metric.precision);
  const error = writeSample(s, seconds, value, <i64>metric.frequency);
  if (error != LineError.None) {
    if (s.isEmpty) {
      seriesRemove(s);
      last.key = keyAt(last.slot);
    }
    return error;
  }
  if (!logSample(s, seconds, value)) return LineError.OutOfMemory;
  batch.stored++;
  // Remembered unless a tag is escaped: the prefix search of the fast path stops at escapes.
  const n = prefixLength(p, stop);
  if (n > 0 && p + <usize>n == parsedLine.prefixEnd) {
    const known = keyFind(p, n, source.cluster);
    const slot = known ? known : keyAdd(p, n, source.cluster, s);
    last.key = keyAt(last.slot);
    if (slot) last.follow(slot);
  }
  return LineError.None;
}
