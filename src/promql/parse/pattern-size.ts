/**
 * How large a regular expression becomes when it is compiled, before it is: `(a|b){1000}` is short, and its program is not. A
 * program takes about 3 us and 200 bytes an instruction to make, on the main thread, and a match up to 0.2 us an instruction and text.
 */

import { alternatives } from './matcher.js';
import { ParseError } from './position.js';
import { unquote } from './quote.js';
import type { Token } from './scan.js';

/** Instructions of all regular expressions of a query. A thousand names with `.*` behind each have 4000. */
export const MAX_PATTERN_SIZE = 10_000;

/** What a class of Unicode such as `\pL` costs: it is one instruction, but a long one. */
const UNICODE_CLASS = 10;

const ESCAPE = /\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|.)/sy;
const CLASS = /\[\^?\]?(?:\\.|\[:[^\]]*:\]|[^\]\\])*\]/sy;
const GROUP_START = /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:))?/y;
const REPEAT = /\{(\d+)(?:,(\d*))?\}/y;

/** Instructions of a group so far, but for its last atom, and those of that atom, which a repetition multiplies. */
interface Frame {
  total: number;
  last: number;
}

/** About the number of instructions; never much less. What is no regular expression has a number as well. */
export function patternSize(pattern: string): number {
  const open: Frame[] = [];
  let frame: Frame = { total: 0, last: 0 };
  const match = (form: RegExp, at: number): RegExpExecArray | null => {
    form.lastIndex = at;
    return form.exec(pattern);
  };
  const atom = (size: number): void => {
    frame.total += frame.last;
    frame.last = size;
  };
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? '';
    const form = { '\\': ESCAPE, '[': CLASS, '(': GROUP_START, '{': REPEAT }[character];
    const found = form === undefined ? null : match(form, at);
    at += found?.[0].length ?? 1;
    if (character === '\\' && found !== null) atom(/^\\[pP]/.test(found[0]) ? UNICODE_CLASS : 1);
    else if (character === '[' && found !== null) atom(1 + (found[0].length >> 3));
    else if (character === '(') {
      open.push(frame);
      frame = { total: 0, last: 0 };
    } else if (character === ')') {
      const group = frame.total + frame.last + 2;
      frame = open.pop() ?? { total: 0, last: 0 };
      atom(group);
    } else if (character === '{' && found !== null) {
      const [, least = '', most = least] = found;
      // `{3,}` is three times, and once more with a loop.
      frame.last *= Math.max(1, most === '' ? Number(least) + 1 : Number(most));
    } else if (character === '*' || character === '+' || character === '?') frame.last += 1;
    else atom(1);
  }
  return [...open, frame].reduce((sum, { total, last }) => sum + total + last, 0);
}

/** What the regular expressions of one request may still come to. */
export class PatternBudget {
  private size = 0;

  /** Instructions that were taken. */
  get used(): number {
    return this.size;
  }

  /**
   * Counts the texts of a query that are regular expressions, or may be: all but the values of `=` and `!=`.
   * @throws ParseError at the one that is too much.
   */
  take(query: string, tokens: readonly Token[]): void {
    for (const [index, { type, text, start }] of tokens.entries()) {
      const before = tokens[index - 1]?.text;
      if (type !== 'string' || before === '=' || before === '!=') continue;
      const pattern = unquote(text) ?? '';
      if (alternatives(pattern) !== undefined) continue;
      this.size += patternSize(pattern);
      if (this.size <= MAX_PATTERN_SIZE) continue;
      const found = `about ${this.size} instructions, expected at most ${MAX_PATTERN_SIZE} in a query`;
      throw new ParseError(start, `regular expressions are too large: ${found}`, query);
    }
  }
}
