/**
 * Parses one line of InfluxDB line protocol completely: the slow path, for lines whose prefix is not known yet, lines in
 * unusual form, and bad lines. Whatever the fast path (ingest.ts) does not recognise comes here, so errors are made here only.
 *
 *   measurement[,tag=value]* value=<number>[ timestamp]
 *
 * Grammar after influxdata/line-protocol v2 (`\ `, `\,`, `\=` escapes; quoted strings may hold newlines). Results are in
 * `parsedLine` and in words, unescaped. Pure: knows neither tree nor metrics.
 */
import { LineError } from '../../src/wasm/tables/codes';
import { isBlank, skipBlanks } from './line-end';
import { parseUnsigned, parseValue, parsed } from './number';
import { tagIsNode, tagLevel, tagNext, tagNote, tagValueAt, tagsBegin } from './tags';

/** Longest name of a cluster, host or level, bytes: file formats count it in one byte. */
export const MAX_NAME: i32 = 255;

/** Bytes of a word that are kept; one more than MAX_NAME, so that a longer one is seen to be too long. */
const CAPACITY: i32 = 256;

/**
 * A measurement, a tag's key or value, or a name that is made of them; unescaped.
 *
 *   0        8
 *   ┌────────┬───────────────────┐
 *   │ length │ CAPACITY bytes    │
 *   └────────┴───────────────────┘
 */
@unmanaged
class Word {
  /** 0: the line has none. */
  length: i32;
  private reserved: u32;

  /** Address of the bytes. */
  get text(): usize {
    return changetype<usize>(this) + offsetof<Word>();
  }

  clear(): void {
    this.length = 0;
  }

  /** Becomes the same as another one. */
  copy(from: Word): void {
    this.length = from.length;
    memory.copy(this.text, from.text, from.length);
  }

  /** Becomes two words in one. False when that is too long. */
  join(a: Word, b: Word): bool {
    if (a.length + b.length > MAX_NAME) return false;
    this.copy(a);
    memory.copy(this.text + a.length, b.text, b.length);
    this.length += b.length;
    return true;
  }

  /** Whether it is these four bytes, as a little-endian word. */
  is4(bytes: u32): bool {
    return this.length == 4 && load<u32>(this.text) == bytes;
  }

  /**
   * Reads the text at p up to an unescaped comma, equals sign (in keys and values) or blank.
   * @returns where it stopped.
   */
  read(p: usize, end: usize, stopAtEquals: bool): usize {
    const dst = this.text;
    let n = 0;
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
    this.length = n;
    return p;
  }
}

/** Bytes of a word. */
const WORD: i32 = 8 + CAPACITY;

export const measurement = changetype<Word>(memory.data(WORD, 8));
export const cluster = changetype<Word>(memory.data(WORD, 8));
export const host = changetype<Word>(memory.data(WORD, 8));
/** type + type-id; empty: the node itself. */
export const level = changetype<Word>(memory.data(WORD, 8));
/** stype + stype-id; empty: none. */
export const sublevel = changetype<Word>(memory.data(WORD, 8));

/** The unit that cc-metric-collector sends with each line; empty: none. */
export const unit = changetype<Word>(memory.data(WORD, 8));

const type = changetype<Word>(memory.data(WORD, 8));
const typeId = changetype<Word>(memory.data(WORD, 8));
const stype = changetype<Word>(memory.data(WORD, 8));
const stypeId = changetype<Word>(memory.data(WORD, 8));
const tagKey = changetype<Word>(memory.data(WORD, 8));
const tagValue = changetype<Word>(memory.data(WORD, 8));

/** The rest of what was parsed. */
@unmanaged
class ParsedLine {
  /** Value of the line's field. */
  value: f64;
  /** Timestamp as written; valid when `hasTimestamp`. */
  timestamp: u64;
  /** Where the line's tags end (its first unescaped blank). */
  prefixEnd: usize;
  /** Tag that made a line a bad one, as it stands there: UnknownTag, BadTagValue. */
  tag: usize;
  tagLength: i32;
  /** A LineError. */
  error: i32;
  hasTimestamp: bool;
}

export const parsedLine = changetype<ParsedLine>(memory.data(offsetof<ParsedLine>(), 8));

/** Bytes of the measurement of a prefix that ends at q and holds no escapes. */
export function measurementLength(p: usize, q: usize): i32 {
  let at = p;
  while (at < q && load<u8>(at) != 0x2c) at++;
  return <i32>(at - p);
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

const WORD_NODE: u32 = 0x65646f6e; // "node"
const WORD_TYPE: u32 = 0x65707974; // "type"
const WORD_HOST: u32 = 0x74736f68; // "host"
const WORD_NAME: u32 = 0x656d616e; // "name"
const WORD_UNIT: u32 = 0x74696e75; // "unit"

/** The word that keeps the value of the tag just read, when it is one of ours; null: it is not. */
function wordOfTag(): Word | null {
  const k = tagKey.text;
  const n = tagKey.length;
  if (n == 4) {
    if (load<u32>(k) == WORD_TYPE) return type;
    if (load<u32>(k) == WORD_HOST) return host;
    if (load<u32>(k) == WORD_UNIT) return unit;
  } else if (n == 8) {
    // "hostname" and "stype-id"
    if (load<u32>(k) == WORD_HOST && load<u32>(k + 4) == WORD_NAME) return host;
    if (load<u64>(k) == 0x64692d6570797473) return stypeId;
  } else if (n == 7) {
    // "cluster" and "type-id"
    if ((load<u64>(k) & 0x00ffffffffffffff) == 0x0072657473756c63) return cluster;
    if ((load<u64>(k) & 0x00ffffffffffffff) == 0x0064692d65707974) return typeId;
  } else if (n == 5) {
    if (load<u8>(k) == 0x73 && load<u32>(k + 1) == WORD_TYPE) return stype;
  }
  return null;
}

/**
 * Reads measurement and tags. @param byTable tags that are not ours must have a rule (tags.ts); false: they are ignored.
 * @returns where it stopped (a blank before the fields), with `parsedLine.error` set on error.
 */
function readPrefix(p: usize, end: usize, byTable: bool): usize {
  parsedLine.error = LineError.None;
  cluster.clear();
  host.clear();
  type.clear();
  typeId.clear();
  stype.clear();
  stypeId.clear();
  level.clear();
  sublevel.clear();
  unit.clear();
  p = measurement.read(p, end, false);
  if (!measurement.length) {
    parsedLine.error = LineError.NoMetric;
    return p;
  }
  while (p < end && load<u8>(p) == 0x2c) {
    const key = p + 1;
    p = tagKey.read(key, end, true);
    if (!tagKey.length || p >= end || load<u8>(p) != 0x3d) {
      parsedLine.error = LineError.BadTag;
      return p;
    }
    const value = p + 1;
    p = tagValue.read(value, end, true);
    if (!tagValue.length || (p < end && load<u8>(p) == 0x3d)) {
      parsedLine.error = LineError.BadTag;
      return p;
    }
    const word = wordOfTag();
    if (word) word.copy(tagValue);
    else if (byTable && !tagNote(tagKey.text, tagKey.length, value)) {
      parsedLine.error = LineError.UnknownTag;
      parsedLine.tag = key;
      parsedLine.tagLength = <i32>(value - 1 - key);
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
  parsedLine.prefixEnd = readPrefix(p, end, false);
  return parsedLine.error;
}

/**
 * Parses measurement and tags of the line at p (not blank, not a comment); tags make levels by the table (tags.ts).
 * @returns LineError; when None, names and levels are set.
 */
export function parsePrefixByTable(p: usize, end: usize): i32 {
  tagsBegin();
  parsedLine.prefixEnd = readPrefix(p, end, true);
  if (!parsedLine.error) parsedLine.error = resolveNames();
  for (let i = tagNext(0); !parsedLine.error && i >= 0; i = tagNext(i + 1)) parsedLine.error = addLevel(i, end);
  return parsedLine.error;
}

/** Makes the level of a tag: the first one free of level and sublevel. @returns LineError. */
function addLevel(rule: i32, end: usize): i32 {
  tagValue.read(tagValueAt(rule), end, true);
  if (tagIsNode(rule, tagValue.text, tagValue.length)) return LineError.None;
  const to = level.length ? sublevel : level;
  if (to.length) return LineError.TooManyLevels;
  const length = tagLevel(rule, tagValue.text, tagValue.length, to.text, MAX_NAME);
  if (length < 0) {
    parsedLine.tag = tagValueAt(rule);
    parsedLine.tagLength = tagValue.length;
    return -length;
  }
  to.length = length;
  return LineError.None;
}

/** Checks what was read and joins the level names. @returns LineError. */
function resolveNames(): i32 {
  if (!host.length) return LineError.NoHost;
  if (type.length && !type.is4(WORD_NODE)) {
    if (!level.join(type, typeId)) return LineError.NameTooLong;
    if (stype.length && !sublevel.join(stype, stypeId)) return LineError.NameTooLong;
  }
  if (host.length > MAX_NAME || cluster.length > MAX_NAME) return LineError.NameTooLong;
  const areSafe = wordIsSafe(host) && wordIsSafe(cluster) && wordIsSafe(level) && wordIsSafe(sublevel);
  return areSafe ? LineError.None : LineError.UnsafeName;
}

function wordIsSafe(word: Word): bool {
  return nameIsSafe(word.text, word.length);
}

/**
 * Parses the line at p (not blank, not a comment) into `parsedLine` and the words.
 * @param stop where the line ends (see `lineEnd`). @returns LineError.
 */
export function parseLine(p: usize, stop: usize): i32 {
  parsedLine.hasTimestamp = false;
  p = readPrefix(p, stop, false);
  parsedLine.prefixEnd = p;
  if (!parsedLine.error) parsedLine.error = resolveNames();
  if (parsedLine.error) return parsedLine.error;
  p = skipBlanks(p, stop);
  if (p >= stop) return LineError.NoFields;
  // One field, "value"; anything else is a bad line.
  let eq = p;
  while (eq < stop && load<u8>(eq) != 0x3d && !isBlank(load<u8>(eq))) eq++;
  if (eq >= stop || load<u8>(eq) != 0x3d) return LineError.NoFields;
  if (eq - p != 5 || load<u32>(p) != 0x756c6176 || load<u8>(p + 4) != 0x65) return LineError.UnknownField;
  p = parseValue(eq + 1, stop);
  if (!p) return parsed.error;
  parsedLine.value = parsed.value;
  if (p < stop && load<u8>(p) == 0x2c) return LineError.UnknownField;
  if (p < stop && !isBlank(load<u8>(p))) return LineError.BadValue;
  p = skipBlanks(p, stop);
  if (p >= stop) return LineError.None;
  if (load<u8>(p) == 0x2d) return LineError.NegativeTimestamp;
  p = parseUnsigned(p, stop);
  if (!p) return LineError.BadTimestamp;
  if (p < stop && !isBlank(load<u8>(p))) return LineError.BadTimestamp;
  if (skipBlanks(p, stop) < stop) return LineError.Garbage;
  parsedLine.timestamp = parsed.integer;
  parsedLine.hasTimestamp = true;
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
