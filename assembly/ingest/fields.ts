/**
 * Stores lines of several fields, as InfluxDB's writers send them: a sample a field, of the metric `measurement_field`, or
 * `measurement` where the field is called `value`. Booleans are 0 and 1, strings are left out.
 *
 * A line: 1. its prefix leads to a group (keys.ts): by the prediction of the line before, else by hash. 2. Each field's name
 * leads to its series, by hash, for writers change the order of the fields from line to line; its value is kept. 3. With the
 * timestamp, which stands last, all are stored. Only for a prefix or a field that is new, tags are parsed and names are made.
 * A field of an unknown metric costs a look at the metrics and is passed over without reading its value.
 */
import { LineError } from '../../src/wasm/tables/codes';
import { log } from '../durable/log';
import { holdsSample } from '../read/holds';
import { FIELDS, GROUPS, Key, keyAdd, keyAt, keyFind } from '../series/keys';
import { Metric, metricFind } from '../series/metrics';
import { Node, Series } from '../series/records';
import { seriesRemove } from '../series/remove';
import { writeSample } from '../series/samples';
import { seriesEnsure } from '../series/series';
import { hostOf, nodePrune } from '../series/tree';
import { level, measurement, measurementLength, parsePrefixByTable, parsedLine } from '../text/line';
import { isBlank, lineEnd, quoteEnd, skipBlanks } from '../text/line-end';
import { parseBoolean, parseTerminated, parseUnsigned, parsed } from '../text/number';
import { roundSample } from '../text/round';
import { batch, isRefused, refuse, refuseTag, source } from './batch';
import { clock } from './clock';
import { prefixLength } from './lines';
import { STRAYED, claimLine, findCluster, isFaultRefused, isOwnLine, nodeOfLine } from './place';
import { rowOf } from './unconfigured';

/** Fields of a line that have a metric. */
const MAX_FIELDS: i32 = 1024;

/**
 *   0        4        8      12            16
 *   ┌────────┬────────┬──────┬─────────────┬───────┐
 *   │ series │ metric │ name │ name length │ value │
 *   └────────┴────────┴──────┴─────────────┴───────┘
 */
@unmanaged
class Field {
  /** Null: not known yet. */
  series: Series | null;
  metric: Metric;
  /** As it stands in the line. */
  name: usize;
  nameLength: i32;
  value: f64;
}

/** The fields of the line at hand that have a metric. */
const fields: usize = memory.data(1024 * 24, 8);

function fieldAt(i: i32): Field {
  return changetype<Field>(fields + <usize>i * offsetof<Field>());
}

/** Name of a metric: measurement, underscore, field. */
const JOINED: i32 = 600;
const joined: usize = memory.data(600, 8);

@unmanaged
class Line {
  /** Slot of the key of the line before, to predict this one's. */
  slot: u32;
  /** Where it begins, and the blank behind its tags. */
  start: usize;
  prefixEnd: usize;
  /** Bytes of `joined` that hold the measurement, and all of a field's name; 0: that is too long. */
  measured: i32;
  named: i32;
  /** Fields that have a metric, and what became of the others. */
  count: i32;
  skipped: i32;
  leftOut: i32;
  /** Why it is refused: a LineError. */
  failure: i32;
  /** Unix time. */
  seconds: i64;
}

const line = changetype<Line>(memory.data(offsetof<Line>(), 8));

/** Stores the lines of [p, end), several fields each, whose tags become levels by the table; a newline stands at `end`. */
export function readFieldLines(p: usize, end: usize): void {
  let lines = 0;
  line.slot = 0;
  while (p < end) {
    lines++;
    p = readLine(p, end, lines);
  }
  batch.lines = lines;
}

/** Slot of the group of the line at p; 0: unknown. */
function groupOf(p: usize, end: usize): u32 {
  const space = source.cluster | GROUPS;
  const before = keyAt(line.slot);
  if (before) {
    const predicted = keyAt(before.next);
    if (predicted && predicted.matches(p, end, space)) return before.next;
  }
  const n = prefixLength(p, end);
  const slot = n > 0 ? keyFind(p, n, space) : 0;
  if (slot && before) before.next = slot;
  return slot;
}

/** Takes the line at p. Returns where the next one starts. */
function readLine(p: usize, end: usize, number: i32): usize {
  let slot = groupOf(p, end);
  let q: usize;
  if (slot) {
    const group = changetype<Key>(keyAt(slot));
    line.slot = slot;
    q = p + <usize>group.length;
    setMeasurement(p, measurementLength(p, q));
  } else {
    p = skipBlanks(p, end);
    if (p >= end || load<u8>(p) == 0x0a) return p + 1;
    if (load<u8>(p) == 0x23) return lineEnd(p, end) + 1;
    const error = parsePrefixByTable(p, end);
    if (error != LineError.None) return refuseLine(p, end, number, error);
    q = parsedLine.prefixEnd;
    setMeasurement(measurement.text, measurement.length);
  }
  line.start = p;
  line.prefixEnd = q;
  line.count = 0;
  line.skipped = 0;
  line.leftOut = 0;
  q = readFields(q, end, slot);
  if (!q) return refuseLine(p, end, number, line.failure);
  const error = storeLine(p, q, end, slot, number);
  if (error != LineError.None) refuse(number, error);
  return q + 1;
}

/** Stores the line from p to q, which has been read. @returns LineError; None as well when it strayed. */
function storeLine(p: usize, q: usize, end: usize, slot: u32, number: i32): i32 {
  if (!slot) {
    const unnamed = findCluster();
    if (unnamed != LineError.None) return unnamed;
  }
  const fault = line.count ? clock.error(line.seconds) : LineError.None;
  if (fault && isTimeRefused(p, end, slot, fault)) return fault;
  if (!slot && !isOwnLine()) {
    // Nothing of it is stored anywhere, and its group is the other partition's all the same.
    if (!line.count) batch.add(0, line.skipped, line.leftOut);
    else if (claimLine(p, q, number) != STRAYED) return LineError.OutOfMemory;
    return LineError.None;
  }
  const error = storeFields(p, end, slot);
  if (error == LineError.None) batch.add(line.count, line.skipped, line.leftOut);
  return error;
}

/** Notes the host of the line, whose time is at fault. @returns whether the line is refused. */
function isTimeRefused(p: usize, end: usize, slot: u32, fault: i32): bool {
  const s = slot ? fieldAt(0).series : null;
  if (s) return isRefused(fault, line.seconds, hostOf(s.node));
  if (slot && !parseAgain(p, end)) return true;
  return isFaultRefused(fault, line.seconds);
}

function refuseLine(p: usize, end: usize, number: i32, error: i32): usize {
  if (error == LineError.UnknownTag || error == LineError.BadTagValue) refuseTag(number, error, parsedLine.tag, parsedLine.tagLength);
  else refuse(number, error);
  return lineEnd(p, end) + 1;
}

function setMeasurement(p: usize, n: i32): void {
  line.measured = min(n, 256);
  memory.copy(joined, p, line.measured);
}

function fail(error: i32): usize {
  line.failure = error;
  return 0;
}

/**
 * Reads fields and timestamp, from q on, where the line's tags end. @param slot of the group; 0: unknown.
 * @returns the newline, or `end`; 0 with `line.failure` set.
 */
function readFields(q: usize, end: usize, slot: u32): usize {
  q = skipBlanks(q, end);
  while (true) {
    q = readField(q, end, slot);
    if (!q) return 0;
    if (q >= end || load<u8>(q) != 0x2c) return readTime(q, end);
    q++;
  }
}

/** Reads name and value at q. @returns where they end; 0 with `line.failure` set. */
function readField(q: usize, end: usize, slot: u32): usize {
  const name = q;
  q = nameEnd(q, end);
  if (!q || q == name) return fail(LineError.NoFields);
  const length = <i32>(q - name);
  q++;
  const key = slot ? keyAt(keyFind(name, length, FIELDS | slot)) : null;
  const series = key ? key.series : null;
  const metric = series ? series.metric : metricOf(name, length);
  if (!metric) {
    line.skipped++;
    // A string would not be a sample of any metric.
    if (load<u8>(q) != 0x22) noteUnconfigured(end, !slot);
    q = valueEnd(q, end);
    return q ? q : fail(LineError.BadValue);
  }
  const c = <u32>load<u8>(q);
  if (c == 0x22) {
    line.leftOut++;
    q = quoteEnd(q + 1, end);
    return q ? q : fail(LineError.BadValue);
  }
  // Letters that begin a boolean.
  q = (c | 0x20) == 0x74 || (c | 0x20) == 0x66 ? parseBoolean(q) : parseTerminated(q);
  if (!q) return fail(parsed.error);
  if (line.count == MAX_FIELDS) return fail(LineError.TooManyFields);
  const field = fieldAt(line.count);
  field.series = series;
  field.metric = metric;
  field.name = name;
  field.nameLength = length;
  field.value = roundSample(parsed.value, metric.precision);
  line.count++;
  return q;
}

/** Notes the field that `joined` names as one of a metric that is not configured. @param isParsed the line's tags were just parsed. */
function noteUnconfigured(end: usize, isParsed: bool): void {
  const row = rowOf(joined, line.named);
  if (!row) return;
  const p = line.start;
  row.note(p, line.prefixEnd, end);
  // Most lines are of known groups, whose tags are parsed anew only for a new name.
  if (isParsed || (!row.isPlaced && parsePrefixByTable(p, end) == LineError.None)) row.noteLevel(level.text, level.length);
}

/** Reads the timestamp behind the fields. @returns as `readFields`. */
function readTime(q: usize, end: usize): usize {
  line.seconds = source.now;
  if (q < end && load<u8>(q) != 0x0a && !isBlank(load<u8>(q))) return fail(LineError.BadValue);
  q = skipBlanks(q, end);
  if (q >= end || load<u8>(q) == 0x0a) return q;
  if (load<u8>(q) == 0x2d) return fail(LineError.NegativeTimestamp);
  q = parseUnsigned(q, end);
  if (!q) return fail(LineError.BadTimestamp);
  line.seconds = source.timeOf(parsed.integer);
  if (q < end && load<u8>(q) != 0x0a && !isBlank(load<u8>(q))) return fail(LineError.BadTimestamp);
  q = skipBlanks(q, end);
  return q < end && load<u8>(q) != 0x0a ? fail(LineError.Garbage) : q;
}

/** The equals sign behind the field's name at p; 0: something else ends the name. */
function nameEnd(p: usize, end: usize): usize {
  for (; p < end; p++) {
    const c = <u32>load<u8>(p);
    if (c == 0x3d) return p;
    if (c == 0x2c || c == 0x20 || c == 0x0a) return 0;
    if (c == 0x5c) p++;
  }
  return 0;
}

/** Passes over a value of any kind. @returns where it ends; 0: a string without an end. */
function valueEnd(p: usize, end: usize): usize {
  if (p < end && load<u8>(p) == 0x22) return quoteEnd(p + 1, end);
  while (p < end && load<u8>(p) != 0x2c && load<u8>(p) > 0x20) p++;
  return p;
}

/** The metric of a field, by its name as it stands in the line, which `joined` holds afterwards; null: there is none. */
function metricOf(name: usize, length: i32): Metric | null {
  let n = line.measured;
  // "value"
  if (length == 5 && load<u32>(name) == 0x756c6176 && load<u8>(name, 4) == 0x65) {
    line.named = n;
    return metricFind(joined, n);
  }
  line.named = 0;
  if (n + 1 + length > JOINED) return null;
  store<u8>(joined + n, 0x5f);
  n++;
  for (let i = 0; i < length; i++) {
    let c = load<u8>(name + i);
    if (c == 0x5c && i + 1 < length) {
      const next = load<u8>(name + i + 1);
      if (next == 0x20 || next == 0x2c || next == 0x3d || next == 0x5c) {
        c = next;
        i++;
      }
    }
    store<u8>(joined + n, c);
    n++;
  }
  line.named = n;
  return metricFind(joined, n);
}

/** Stores what `readFields` has found in the line at p. @param slot of its group; 0: unknown. @returns LineError. */
function storeFields(p: usize, end: usize, slot: u32): i32 {
  const seconds = line.seconds;
  let node: Node | null = null;
  let fresh = 0;
  for (let i = 0; i < line.count; i++) {
    const field = fieldAt(i);
    let s = field.series;
    if (!s) {
      if (!node) node = nodeAgain(p, end, slot);
      s = node ? seriesEnsure(node, field.metric) : null;
      if (!s) {
        if (node) nodePrune(node);
        return LineError.OutOfMemory;
      }
      field.series = s;
      fresh++;
    }
    if (source.onlyMissing && holdsSample(s, seconds)) continue;
    const error = writeSample(s, seconds, field.value, <i64>field.metric.frequency);
    if (error != LineError.None) {
      if (s.isEmpty) seriesRemove(s);
      return error;
    }
    if (!log.sample(s, seconds, field.value)) return LineError.OutOfMemory;
  }
  if (fresh || !slot) remember(p, end, slot);
  return LineError.None;
}

/** The node of the line at p; its tags are parsed anew if only its group was known. */
function nodeAgain(p: usize, end: usize, slot: u32): Node | null {
  return slot && !parseAgain(p, end) ? null : nodeOfLine();
}

/** Parses the tags of the line at p once more, of which only the group was known. They are good. */
function parseAgain(p: usize, end: usize): bool {
  return parsePrefixByTable(p, end) == LineError.None && findCluster() == LineError.None;
}

/** Remembers the prefix of the line at p and its fields, unless a tag is escaped: `prefixLength` stops at escapes. */
function remember(p: usize, end: usize, slot: u32): void {
  const n = prefixLength(p, end);
  if (n <= 0 || (!slot && p + <usize>n != parsedLine.prefixEnd)) return;
  if (!slot) slot = keyAdd(p, n, source.cluster | GROUPS, null);
  if (!slot) return;
  for (let i = 0; i < line.count; i++) {
    const field = fieldAt(i);
    if (keyFind(field.name, field.nameLength, FIELDS | slot)) continue;
    keyAdd(field.name, field.nameLength, FIELDS | slot, field.series);
  }
  const before = keyAt(line.slot);
  if (before) before.next = slot;
  line.slot = slot;
}
