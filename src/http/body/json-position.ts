/**
 * Where a text stops being JSON. V8's message names the offset only for some errors, so a refused body is walked again
 * by this plain scanner. Off every hot path; no recursion, so nesting costs no stack.
 */

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** First code unit that may stand in a string as it is. */
const SPACE = 0x20;

/** Offset in UTF-16 units of the first character that cannot be; the text's length when it ends too early. */
export function jsonErrorPosition(text: string): number {
  let position = 0;
  /** Closing characters that are due, innermost last. */
  const open: string[] = [];

  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = position;
    if (!pattern.test(text)) return false;
    position = pattern.lastIndex;
    return true;
  };
  const take = (character: string): boolean => {
    if (text[position] !== character) return false;
    position++;
    return true;
  };
  /** Not one pattern: on a long unterminated string that would fill the pattern engine's stack. */
  const string = (): boolean => {
    if (!take('"')) return false;
    while (position < text.length && text.charCodeAt(position) >= SPACE) {
      if (take('"')) return true;
      if (text[position] !== '\\') position++;
      else if (!match(ESCAPE)) return false;
    }
    return false;
  };
  /** A member's name and colon. */
  const name = (): boolean => {
    match(WHITESPACE);
    if (!string()) return false;
    match(WHITESPACE);
    return take(':');
  };

  for (;;) {
    match(WHITESPACE);
    if (take('{')) {
      match(WHITESPACE);
      if (!take('}')) {
        open.push('}');
        if (!name()) return position;
        continue;
      }
    } else if (take('[')) {
      match(WHITESPACE);
      if (!take(']')) {
        open.push(']');
        continue;
      }
    } else if (!string() && !match(NUMBER) && !match(LITERAL)) {
      return position;
    }
    // A value is complete: close what closes, then a comma leads to the next value.
    for (;;) {
      match(WHITESPACE);
      const closing = open.at(-1);
      if (closing === undefined) return position;
      if (take(closing)) {
        open.pop();
        continue;
      }
      if (!take(',') || (closing === '}' && !name())) return position;
      break;
    }
  }
}
