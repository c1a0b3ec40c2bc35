/**
 * Line protocol as the contract describes it, read the plain way: characters are bytes (latin1 strings), one regular
 * expression a question. What the core's parser is compared with.
 */

export interface Parsed {
  outcome: 'blank' | 'skipped' | 'refused' | 'stored';
  levels: string[];
  metric: string;
  /** Unix seconds. */
  time: number;
  value: number;
}

const BLANKS = /^[ \t\r]*/;
const NUMBER = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** A backslash in front of anything but blank, comma, equals sign and backslash is itself. */
const TAG = /^,((?:\\[ ,=\\]|[^,= \n\\]|\\(?![ ,=\\]))+)=((?:\\[ ,=\\]|[^,= \n\\]|\\(?![ ,=\\]))+)(?=[, ]|$)/;
const INT64_END = 2n ** 63n;
const MAX_NAME = 255;

/** Cuts a body into lines: newlines inside of a quoted field value do not count. */
export function splitLines(body: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + lineLength(body.slice(at));
    lines.push(body.slice(at, end));
    at = end + 1;
  }
  return lines;
}

function lineLength(text: string): number {
  const newline = text.indexOf('\n');
  const plain = newline < 0 ? text.length : newline;
  const prefix = /^[ \t\r]*(?![ \t\r#])(?:\\[^\n]|[^ \n\\]|\\(?=\n|$))* [ \t\r]*/.exec(text);
  if (!prefix) return plain;
  let at = prefix[0].length;
  while (at < text.length) {
    // Up to the next string, if the fields have one.
    const before = /^(?:\\[^\n]|[^ \t\r\n\\"]|(?<!=)"|\\(?=\n|$))*/.exec(text.slice(at))?.[0].length ?? 0;
    at += before;
    if (text[at] !== '"') break;
    const string = /^"(?:\\[\s\S]|[^"\\])*"/.exec(text.slice(at));
    if (!string) break;
    at += string[0].length;
  }
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function unescaped(name: string): string {
  return name.replace(/\\([ ,=\\])/g, '$1');
}

/** Whether a level may be called so. */
function isSafe(name: string): boolean {
  for (const c of name) if (c < ' ' || c === '\x7f' || c === '/' || c === '\\') return false;
  return !name.includes('..') && name !== '.' && name.length <= MAX_NAME;
}

function parseNumber(text: string): number | undefined {
  const integer = /^(-?)(\d+)([iu])$/.exec(text);
  if (integer) {
    const [, sign = '', digits = '', suffix] = integer;
    const n = BigInt(digits);
    if (suffix === 'u') return sign || n >= 2n * INT64_END ? undefined : Number(n);
    return n > INT64_END || (n === INT64_END && !sign) ? undefined : Number(sign ? -n : n);
  }
  const value = Number(text);
  return NUMBER.test(text) && Number.isFinite(value) ? value : undefined;
}

function toSeconds(t: bigint): number {
  const perSecond = t < 10n ** 11n ? 1n : t < 10n ** 14n ? 10n ** 3n : t < 10n ** 17n ? 10n ** 6n : 10n ** 9n;
  return Number(t / perSecond);
}

/** @param known metrics of the config. @param cluster for lines without one. @param now for lines without a time. */
export function parseLine(text: string, known: ReadonlySet<string>, cluster: string, now: number): Parsed {
  const result: Parsed = { outcome: 'refused', levels: [], metric: '', time: now, value: 0 };
  const line = text.replace(BLANKS, '');
  if (line === '' || line[0] === '#') return { ...result, outcome: 'blank' };
  const name = /^(?:\\[ ,=\\]|[^, \n\\]|\\(?![ ,=\\]))*/.exec(line)?.[0] ?? '';
  result.metric = unescaped(name);
  if (result.metric === '') return result;
  if (!known.has(result.metric)) return { ...result, outcome: 'skipped' };

  const tags = new Map<string, string>();
  let rest = line.slice(name.length);
  while (rest[0] === ',') {
    const tag = TAG.exec(rest);
    if (!tag) return result;
    const [all, key = '', value = ''] = tag;
    // "host" and "hostname" are one.
    tags.set(unescaped(key).replace(/^host$/, 'hostname'), unescaped(value));
    rest = rest.slice(all.length);
  }
  const type = tags.get('type') ?? '';
  const stype = tags.get('stype') ?? '';
  const host = tags.get('hostname') ?? '';
  const own = tags.get('cluster') ?? cluster;
  result.levels = [own, host];
  if (type && type !== 'node') {
    result.levels.push(type + (tags.get('type-id') ?? ''));
    if (stype) result.levels.push(stype + (tags.get('stype-id') ?? ''));
  }
  if (!host || !own || !result.levels.every(isSafe)) return result;

  rest = rest.replace(BLANKS, '');
  const field = /^value=([^ ,\r\n]+)(?=[ \r\n]|$)/.exec(rest);
  const value = field ? parseNumber(field[1] ?? '') : undefined;
  if (!field || value === undefined) return result;
  result.value = value;
  const time = rest.slice(field[0].length).replace(/^[ \t\r]+|[ \t\r]+$/g, '');
  if (time === '') return { ...result, outcome: 'stored' };
  if (!/^\d+$/.test(time) || BigInt(time) >= INT64_END) return result;
  return { ...result, outcome: 'stored', time: toSeconds(BigInt(time)) };
}
