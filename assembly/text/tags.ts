/**
 * Tags of others' writers (Telegraf, InfluxDB's clients) become levels by a table of rules (configuration: `influx.tags`).
 *
 * 1. While a line's tags are read, each one that has a rule is noted; one without a rule makes the line a bad one.
 * 2. The noted ones, in the order of the table, make level and sublevel: type and id. A rule without a type ignores its tag,
 *    and so does one while a tag of `unless` is there. A tag that says "the node itself" makes none.
 *
 * Two values never make the same id: a prefix that is cut off must be there, and what a name must not hold is escaped as in
 * URLs, the escape included.
 */
import { LineError, MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, free } from '../memory/alloc';
import { bytesEqual } from '../memory/bytes';

/** A word of 64 bits says which rules a line has used. */
export const MAX_RULES: i32 = 64;

/** A text of the table: address of its length, one byte, and its bytes. */
type Text = usize;

/**
 *   0     4      8     12     16
 *   ┌─────┬──────┬─────┬──────┬────────┐
 *   │ tag │ type │ cut │ node │ unless │     texts, and 64 bits of rules
 *   └─────┴──────┴─────┴──────┴────────┘
 */
@unmanaged
class Rule {
  tag: Text;
  /** Empty: the tag is ignored. */
  type: Text;
  /** What is cut off the value to make the id; a value without it is bad. */
  cut: Text;
  /** The value that means the node itself; empty: none does. */
  node: Text;
  /** Rules whose tags, where a line has one, make this one ignored. */
  unless: u64;
}

@unmanaged
class Tags {
  count: i32;
  /** Copy of the texts. */
  texts: usize;
  /** Rules of the line's tags. */
  used: u64;
}

const tags = changetype<Tags>(memory.data(offsetof<Tags>(), 8));
const rules: usize = memory.data(64 * 24, 8);
/** Where the value of the line's tag of each rule begins, as written. */
const values: usize = memory.data(64 * 4, 4);

function ruleAt(i: i32): Rule {
  return changetype<Rule>(rules + <usize>i * offsetof<Rule>());
}

/**
 * Replaces the table.
 * @param p texts of n bytes; copied. For each rule tag, type, cut and node, each with its length as one byte in front, then the
 *   rules of `unless` as a u64. @param count rules, at most MAX_RULES. @returns false when memory is exhausted.
 */
export function setTags(p: usize, n: i32, count: i32): bool {
  const texts = alloc(<u32>n, MemoryKind.Index);
  if (!texts) return false;
  free(tags.texts, MemoryKind.Index);
  memory.copy(texts, p, n);
  tags.texts = texts;
  tags.count = count;
  let at = texts;
  for (let i = 0; i < count; i++) {
    const rule = ruleAt(i);
    rule.tag = at;
    rule.type = behind(rule.tag);
    rule.cut = behind(rule.type);
    rule.node = behind(rule.cut);
    at = behind(rule.node);
    rule.unless = load<u64>(at);
    at += 8;
  }
  return true;
}

function behind(text: Text): Text {
  return text + 1 + <usize>load<u8>(text);
}

function isText(text: Text, p: usize, n: i32): bool {
  return <i32>load<u8>(text) == n && bytesEqual(text + 1, p, n);
}

/** A line begins: none of its tags are noted. */
export function tagsBegin(): void {
  tags.used = 0;
}

/** Notes a tag. @param key of n bytes, unescaped. @param value where it begins, as written. @returns false: it has no rule. */
export function tagNote(key: usize, n: i32, value: usize): bool {
  for (let i = 0; i < tags.count; i++) {
    if (!isText(ruleAt(i).tag, key, n)) continue;
    tags.used |= (<u64>1) << i;
    store<u32>(values + (<usize>i << 2), <u32>value);
    return true;
  }
  return false;
}

/** The first rule from number i on that makes a level of the line, or -1. */
export function tagNext(i: i32): i32 {
  for (; i < tags.count; i++) {
    const rule = ruleAt(i);
    const isUsed = (tags.used >> i) & 1;
    if (isUsed && load<u8>(rule.type) && !(tags.used & rule.unless)) return i;
  }
  return -1;
}

/** Where the value of a rule's tag begins, as written. */
export function tagValueAt(i: i32): usize {
  return load<u32>(values + (<usize>i << 2));
}

/** Whether the value, unescaped, means the node itself. */
export function tagIsNode(i: i32, value: usize, n: i32): bool {
  const node = ruleAt(i).node;
  return load<u8>(node) != 0 && isText(node, value, n);
}

/**
 * Writes the level that a tag makes: type and id.
 * @param value of n bytes, unescaped. @param to room for `room` bytes.
 * @returns its length; negative: the LineError, BadTagValue or NameTooLong.
 */
export function tagLevel(i: i32, value: usize, n: i32, to: usize, room: i32): i32 {
  const rule = ruleAt(i);
  const cut = <i32>load<u8>(rule.cut);
  if (n <= cut || !bytesEqual(rule.cut + 1, value, cut)) return -LineError.BadTagValue;
  let length = <i32>load<u8>(rule.type);
  memory.copy(to, rule.type + 1, length);
  for (let k = cut; k < n; k++) {
    if (length + 3 > room) return -LineError.NameTooLong;
    const c = <u32>load<u8>(value + k);
    // "a..b" would be an unsafe name.
    const isSecondPoint = c == 0x2e && k > cut && load<u8>(value + k - 1) == 0x2e;
    if (c < 0x20 || c == 0x7f || c == 0x2f || c == 0x5c || c == 0x25 || isSecondPoint) {
      store<u8>(to + length, 0x25);
      store<u8>(to + length, hexDigit(c >> 4), 1);
      store<u8>(to + length, hexDigit(c & 15), 2);
      length += 3;
    } else {
      store<u8>(to + length, <u8>c);
      length++;
    }
  }
  return length;
}

function hexDigit(n: u32): u8 {
  return <u8>(n + (n < 10 ? 0x30 : 0x37));
}
