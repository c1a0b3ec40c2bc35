/** Strings between quotes, as Go writes and PromQL reads them. */

const escapes: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** Go escapes what is neither a letter, mark, number, punctuation or symbol nor the space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** The text between double quotes, escaped as Go's `strconv.Quote` does. */
export function quote(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const short = escapes[character];
    if (short !== undefined) quoted += short;
    else if (PRINTABLE.test(character)) quoted += character;
    else if (code < 0x80) quoted += `\\x${hex(code, 2)}`;
    else if (code < 0x10000) quoted += `\\u${hex(code, 4)}`;
    else quoted += `\\U${hex(code, 8)}`;
  }
  return `${quoted}"`;
}

const simpleEscapes: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const numericEscape = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/;

/** Bytes that are no UTF-8 become U+FFFD: a label value is text. */
const decoder = new TextDecoder();

/**
 * The value of a string literal: `"` and `'` with Go's escapes, `` ` `` raw.
 * @param literal with its quotes. Returns undefined when it is no literal that Go would read.
 */
export function unquote(literal: string): string | undefined {
  const delimiter = literal[0];
  if (literal.length < 2 || literal.at(-1) !== delimiter) return undefined;
  const body = literal.slice(1, -1);
  if (delimiter === '`') return body.includes('`') ? undefined : body;
  if (delimiter !== '"' && delimiter !== "'") return undefined;
  if (body.includes('\n')) return undefined;
  if (!body.includes('\\')) return body.includes(delimiter) ? undefined : body;
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    const backslash = body.indexOf('\\', at);
    const plain = body.slice(at, backslash < 0 ? body.length : backslash);
    if (plain.includes(delimiter)) return undefined;
    parts.push(Buffer.from(plain));
    if (backslash < 0) break;
    const escaped = readEscape(body.slice(backslash + 1), delimiter);
    if (escaped === undefined) return undefined;
    parts.push(escaped.bytes);
    at = backslash + 1 + escaped.length;
  }
  return decoder.decode(Buffer.concat(parts));
}

/** What stands behind a backslash: the bytes that it means and the characters that it takes. */
function readEscape(text: string, delimiter: string): { bytes: Uint8Array; length: number } | undefined {
  const first = text[0] ?? '';
  if (first === delimiter) return { bytes: Buffer.from(first), length: 1 };
  const simple = simpleEscapes[first];
  if (simple !== undefined) return { bytes: Uint8Array.of(simple), length: 1 };
  const found = numericEscape.exec(text);
  if (found === null) return undefined;
  const [all, byte, short, long, octal] = found;
  if (byte !== undefined || octal !== undefined) {
    const value = octal === undefined ? Number.parseInt(byte ?? '', 16) : Number.parseInt(octal, 8);
    return value > 255 ? undefined : { bytes: Uint8Array.of(value), length: all.length };
  }
  const code = Number.parseInt(short ?? long ?? '', 16);
  if (code > 0x10ffff) return undefined;
  return { bytes: Buffer.from(String.fromCodePoint(code)), length: all.length };
}
