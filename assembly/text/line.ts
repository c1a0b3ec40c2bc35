/**
 * Parses one line of InfluxDB line protocol completely: the slow path, for lines whose prefix is not known yet, lines in
 * unusual form, and bad lines. Whatever the fast path (ingest.ts) does not recognise comes here, so errors are made here only.
 *
 *   measurement[,tag=value]* value=<number>[ timestamp]
 *
 * Grammar after influxdata/line-protocol v2 (`\ `, `\,`, `\=` escapes; quoted strings may hold newlines), results in
 * the exported globals, names unescaped in static scratch memory. Pure: knows neither tree nor metrics.
 */
import { LineError } from '../../src/wasm/codes';
import { tagIsNode, tagLevel, tagNext, tagNote, tagValueAt, tagsBegin } from './tags';
import { parseError, parseUnsigned, parseValue, parsedInteger, parsedValue } from './number';

/** Longest name of a cluster, host or level, bytes: file formats count it in one byte. */
export const MAX_NAME: i32 = 255;

/** A name of the line: address of {u32 at, i32 length}, unescaped. Empty: absent. */
type Name = usize;

// @ts-ignore: decorator
@inline
export function nameAt(n: usize): usize {
  return <usize>load<u32>(n);
}
// @ts-ignore: decorator
@inline
export function nameLength(n: usize): i32 {
  return load<i32>(n, 4);
}
// @ts-ignore: decorator
@inline
function setName(n: usize, at: usize, length: i32): void {
  store<u32>(n, <u32>at);
  store<i32>(n, length, 4);
}

/** Bytes of a name that are kept; one more than MAX_NAME, so that a longer one is seen to be too long. */
const CAPACITY: usize = 256;
const buffers: usize = memory.data(9 * 256, 8);

export const measurement: usize = memory.data(8, 4);
export const cluster: usize = memory.data(8, 4);
export const host: usize = memory.data(8, 4);
/** type + type-id; empty: the node itself. */
export const level: usize = memory.data(8, 4);
/** stype + stype-id; empty: none. */
export const sublevel: usize = memory.data(8, 4);

const tagKey: usize = memory.data(8, 4);
const type: usize = memory.data(8, 4);
const typeId: usize = memory.data(8, 4);
const stype: usize = memory.data(8, 4);
const stypeId: usize = memory.data(8, 4);

/** Value of the line's field. */
export let lineValue: f64 = 0;
/** Timestamp as written; valid when `lineHasTimestamp`. */
export let lineTimestamp: u64 = 0;
export let lineHasTimestamp: bool = false;
/** Where the line's tags end (its first unescaped blank). */
export let linePrefixEnd: usize = 0;

let failed: i32 = 0;

/** Tag that made a line a bad one, as it stands there: UnknownTag, BadTagValue. */
export let lineTag: usize = 0;
export let lineTagLength: i32 = 0;

// @ts-ignore: decorator
@inline
export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0x0d;
}

/** Skips blanks (space, tab, carriage return). */
export function skipBlanks(p: usize, end: usize): usize {
  while (p < end && isBlank(load<u8>(p))) p++;
  return p;
}

/**
 * Where the line at p ends: its newline, or `end`. Newlines inside of a quoted field value do not count. Quotes elsewhere
 * (tags, comments, behind the fields) are characters like others, and a quote that is never closed does not hide the rest
 * of the body.
 */
export function lineEnd(p: usize, end: usize): usize {
  const plain = plainEnd(p, end);
  return plain ? plain : quotedEnd(p, end, IN_PREFIX);
}

/** As `lineEnd`, for a p at the blank in front of the line's fields. */
export function fieldsEnd(p: usize, end: usize): usize {
  const plain = plainEnd(p, end);
  return plain ? plain : quotedEnd(p, end, BEFORE_FIELDS);
}

/** Fast path: the newline or `end`; 0 when a quote comes first. */
function plainEnd(p: usize, end: usize): usize {
  const newline = i8x16.splat(0x0a);
  const quote = i8x16.splat(0x22);
  while (p < end) {
    const v = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(v, newline), i8x16.eq(v, quote)));
    if (hits) {
      p += ctz(hits);
      if (p >= end) break;
      return load<u8>(p) == 0x0a ? p : 0;
    }
    p += 16;
  }
  return end;
}

const IN_PREFIX: i32 = 0;
const BEFORE_FIELDS: i32 = 1;
const IN_FIELDS: i32 = 2;

/** Slow path: the line holds a quote, so where it stands decides. */
function quotedEnd(p: usize, end: usize, state: i32): usize {
  if (state == IN_PREFIX) {
    p = skipBlanks(p, end);
    if (p < end && load<u8>(p) == 0x23) return scanNewline(p, end);
  }
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x0a) return p;
    if (c == 0x5c && p + 1 < end && load<u8>(p + 1) != 0x0a) p++;
    else if (state == IN_PREFIX) {
      if (c == 0x20) state = BEFORE_FIELDS;
    } else if (isBlank(c)) {
      // Behind the fields there are no strings.
      if (state == IN_FIELDS) return scanNewline(p, end);
    } else {
      state = IN_FIELDS;
      if (c == 0x22 && load<u8>(p - 1) == 0x3d) {
        const closed = quoteEnd(p + 1, end);
        if (!closed) return scanNewline(p, end);
        p = closed - 1;
      }
    }
  }
  return end;
}

/** Address behind the closing quote of a string whose text begins at p; 0: there is none. */
export function quoteEnd(p: usize, end: usize): usize {
  while (p < end) {
    const c = load<u8>(p);
    if (c == 0x5c) p++;
    else if (c == 0x22) return p + 1;
    p++;
  }
  return 0;
}

function scanNewline(p: usize, end: usize): usize {
  while (p < end && load<u8>(p) != 0x0a) p++;
  return p;
}

/**
 * Reads a name up to an unescaped comma, equals sign (in keys and values) or blank.
 * @param buffer number of the scratch buffer for its unescaped form. @returns where it stopped.
 */
function readName(p: usize, end: usize, name: Name, buffer: usize, stopAtEquals: bool): usize {
  const dst = buffers + buffer * CAPACITY;
  let n: usize = 0;
  while (p < end) {
    let c = <u32>load<u8>(p);
    if (c == 0x5c && p + 1 < end) {
      const next = <u32>load<u8>(p + 1);
      if (next == 0x20 || next == 0x2c || next == 0x3d || next == 0x5c) {
        p++;
        c = next;
      }
    } else if (c == 0x2c || c == 0x20 || c == 0x0a || (stopAtEquals && c == 0x3d)) break;
    if (n < CAPACITY) {
      store<u8>(dst + n, <u8>c);
      n++;
    }
    p++;
  }
  setName(name, dst, <i32>n);
  return p;
}

// @ts-ignore: decorator
@inline
function clear(name: Name): void {
  store<i32>(name, 0, 4);
}

function copyName(to: Name, from: Name, buffer: usize): void {
  const dst = buffers + buffer * CAPACITY;
  memory.copy(dst, nameAt(from), nameLength(from));
  setName(to, dst, nameLength(from));
}

/** Two names in one: a level is called type + type-id. */
function join(to: Name, a: Name, b: Name, buffer: usize): void {
  const n = nameLength(a);
  if (n + nameLength(b) > MAX_NAME) {
    failed = LineError.NameTooLong;
    return;
  }
  copyName(to, a, buffer);
  memory.copy(nameAt(to) + n, nameAt(b), nameLength(b));
  setName(to, nameAt(to), n + nameLength(b));
}

/** Names become directories when checkpoints are exported: nothing that could leave them, nothing unprintable. */
export function nameIsSafe(p: usize, n: i32): bool {
  for (let i = 0; i < n; i++) {
    const c = load<u8>(p + i);
    if (c < 0x20 || c == 0x7f || c == 0x2f || c == 0x5c) return false;
    if (c == 0x2e && i + 1 < n && load<u8>(p + i + 1) == 0x2e) return false;
  }
  return !(n == 1 && load<u8>(p) == 0x2e);
}

// @ts-ignore: decorator
@inline
function is4(name: Name, word: u32): bool {
  return nameLength(name) == 4 && load<u32>(nameAt(name)) == word;
}

const WORD_NODE: u32 = 0x65646f6e; // "node"
const WORD_TYPE: u32 = 0x65707974; // "type"
const WORD_HOST: u32 = 0x74736f68; // "host"
const WORD_NAME: u32 = 0x656d616e; // "name"

/** Keeps the tag just read when it is one of ours. `value` sits in scratch buffer 1. @returns whether it is. */
function keepTag(value: Name): bool {
  const k = nameAt(tagKey);
  const n = nameLength(tagKey);
  if (n == 4) {
    if (load<u32>(k) == WORD_TYPE) return keep(type, value, 4);
    if (load<u32>(k) == WORD_HOST) return keep(host, value, 3);
  } else if (n == 8) {
    // "hostname" and "stype-id"
    if (load<u32>(k) == WORD_HOST && load<u32>(k + 4) == WORD_NAME) return keep(host, value, 3);
    if (load<u64>(k) == 0x64692d6570797473) return keep(stypeId, value, 7);
  } else if (n == 7) {
    // "cluster" and "type-id"
    if ((load<u64>(k) & 0x00ffffffffffffff) == 0x0072657473756c63) return keep(cluster, value, 2);
    if ((load<u64>(k) & 0x00ffffffffffffff) == 0x0064692d65707974) return keep(typeId, value, 5);
  } else if (n == 5) {
    if (load<u8>(k) == 0x73 && load<u32>(k + 1) == WORD_TYPE) return keep(stype, value, 6);
  }
  return false;
}

function keep(name: Name, value: Name, buffer: usize): bool {
  copyName(name, value, buffer);
  return true;
}

const tagValue: usize = memory.data(8, 4);

/**
 * Reads measurement and tags. @param byTable tags that are not ours must have a rule (tags.ts); false: they are ignored.
 * @returns where it stopped (a blank before the fields), with `failed` set on error.
 */
function readPrefix(p: usize, end: usize, byTable: bool): usize {
  clear(cluster);
  clear(host);
  clear(type);
  clear(typeId);
  clear(stype);
  clear(stypeId);
  clear(level);
  clear(sublevel);
  p = readName(p, end, measurement, 0, false);
  if (!nameLength(measurement)) {
    failed = LineError.NoMetric;
    return p;
  }
  while (p < end && load<u8>(p) == 0x2c) {
    const key = p + 1;
    p = readName(key, end, tagKey, 8, true);
    if (!nameLength(tagKey) || p >= end || load<u8>(p) != 0x3d) {
      failed = LineError.BadTag;
      return p;
    }
    const value = p + 1;
    p = readName(value, end, tagValue, 1, true);
    if (!nameLength(tagValue) || (p < end && load<u8>(p) == 0x3d)) {
      failed = LineError.BadTag;
      return p;
    }
    if (!keepTag(tagValue) && byTable && !tagNote(nameAt(tagKey), nameLength(tagKey), value)) {
      failed = LineError.UnknownTag;
      lineTag = key;
      lineTagLength = <i32>(value - 1 - key);
      return p;
    }
  }
  return p;
}

/**
 * Parses only measurement and tags of the line at p (not blank, not a comment): for routing.
 * @returns LineError; `host`, `cluster` and `measurement` are set when None.
 */
export function parsePrefix(p: usize, end: usize): i32 {
  failed = 0;
  linePrefixEnd = readPrefix(p, end, false);
  return failed;
}

/**
 * Parses measurement and tags of the line at p (not blank, not a comment); tags make levels by the table (tags.ts).
 * @returns LineError; when None, names and levels are set.
 */
export function parsePrefixByTable(p: usize, end: usize): i32 {
  failed = 0;
  tagsBegin();
  linePrefixEnd = readPrefix(p, end, true);
  if (!failed) resolveNames();
  for (let i = tagNext(0); !failed && i >= 0; i = tagNext(i + 1)) addLevel(i, end);
  return failed;
}

/** Makes the level of a tag: the first one free of level and sublevel. */
function addLevel(rule: i32, end: usize): void {
  readName(tagValueAt(rule), end, tagValue, 1, true);
  if (tagIsNode(rule, nameAt(tagValue), nameLength(tagValue))) return;
  const isFirst = nameLength(level) == 0;
  if (!isFirst && nameLength(sublevel)) {
    failed = LineError.TooManyLevels;
    return;
  }
  const to = buffers + (isFirst ? 4 : 6) * CAPACITY;
  const length = tagLevel(rule, nameAt(tagValue), nameLength(tagValue), to, MAX_NAME);
  if (length < 0) {
    failed = -length;
    lineTag = tagValueAt(rule);
    lineTagLength = nameLength(tagValue);
  } else setName(isFirst ? level : sublevel, to, length);
}

/** Checks what was read and joins the level names. */
function resolveNames(): void {
  if (!nameLength(host)) {
    failed = LineError.NoHost;
    return;
  }
  if (nameLength(type) && !is4(type, WORD_NODE)) {
    join(level, type, typeId, 4);
    if (!failed && nameLength(stype)) join(sublevel, stype, stypeId, 6);
  }
  if (failed) return;
  if (nameLength(host) > MAX_NAME || nameLength(cluster) > MAX_NAME) failed = LineError.NameTooLong;
  else if (
    !nameIsSafe(nameAt(host), nameLength(host)) ||
    !nameIsSafe(nameAt(cluster), nameLength(cluster)) ||
    !nameIsSafe(nameAt(level), nameLength(level)) ||
    !nameIsSafe(nameAt(sublevel), nameLength(sublevel))
  ) failed = LineError.UnsafeName;
}

/**
 * Parses the line at p (not blank, not a comment). Sets the globals above.
 * @param stop where the line ends (see `lineEnd`). @returns LineError.
 */
export function parseLine(p: usize, stop: usize): i32 {
  failed = 0;
  lineHasTimestamp = false;
  p = readPrefix(p, stop, false);
  linePrefixEnd = p;
  if (failed) return failed;
  resolveNames();
  if (failed) return failed;
  p = skipBlanks(p, stop);
  if (p >= stop) return LineError.NoFields;
  // One field, "value"; anything else is a bad line.
  let eq = p;
  while (eq < stop && load<u8>(eq) != 0x3d && !isBlank(load<u8>(eq))) eq++;
  if (eq >= stop || load<u8>(eq) != 0x3d) return LineError.NoFields;
  if (eq - p != 5 || load<u32>(p) != 0x756c6176 || load<u8>(p + 4) != 0x65) return LineError.UnknownField;
  p = parseValue(eq + 1, stop);
  if (!p) return parseError;
  lineValue = parsedValue;
  if (p < stop && load<u8>(p) == 0x2c) return LineError.UnknownField;
  if (p < stop && !isBlank(load<u8>(p))) return LineError.BadValue;
  p = skipBlanks(p, stop);
  if (p >= stop) return LineError.None;
  if (load<u8>(p) == 0x2d) return LineError.NegativeTimestamp;
  p = parseUnsigned(p, stop);
  if (!p) return LineError.BadTimestamp;
  if (p < stop && !isBlank(load<u8>(p))) return LineError.BadTimestamp;
  if (skipBlanks(p, stop) < stop) return LineError.Garbage;
  lineTimestamp = parsedInteger;
  lineHasTimestamp = true;
  return LineError.None;
}

/** Nanoseconds, microseconds, milliseconds and seconds are told apart by magnitude; see docs/architecture.md. */
export function toSeconds(t: u64, perSecond: u64): i64 {
  if (perSecond) return <i64>(t / perSecond);
  if (t < 100000000000) return <i64>t;
  if (t < 100000000000000) return <i64>(t / 1000);
  if (t < 100000000000000000) return <i64>(t / 1000000);
  return <i64>(t / 1000000000);
}
