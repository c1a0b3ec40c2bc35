/**
 * Matchers of labels. Regular expressions are RE2's, which need time in proportion to the text, never JavaScript's own:
 * those can be made to run for ever. A set of words, as Grafana's variables send it, is looked up instead.
 */

import { RE2JS, RE2JSException } from 're2js';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly label: string;
  readonly operator: MatchOperator;
  /** The text or the expression as it was written. */
  readonly value: string;
  /** For `=~` and `!~` that name words and nothing else: these words. */
  readonly words: ReadonlySet<string> | undefined;
  /** Whether a label of this value is chosen; an absent label has the empty value. */
  matches(value: string): boolean;
}

const METACHARACTERS = new Set('\\.+*?()|[]{}^$');

/** `a|b|c`, also in one pair of parentheses: the words. Undefined for anything that is more than that. */
export function alternatives(pattern: string): string[] | undefined {
  const body = /^\((?!\?)(.*)\)$/s.exec(pattern)?.[1] ?? pattern;
  const words: string[] = [];
  let word = '';
  for (let at = 0; at < body.length; at++) {
    const character = body[at] ?? '';
    const next = body[at + 1] ?? '';
    if (character === '|') {
      words.push(word);
      word = '';
    } else if (character === '\\' && METACHARACTERS.has(next)) {
      word += next;
      at++;
    } else if (METACHARACTERS.has(character)) {
      return undefined;
    } else {
      word += character;
    }
  }
  words.push(word);
  return words;
}

/** A regular expression that must match all of a text. */
export type FullMatch = RE2JS;

/** Compiles an expression that is anchored on both sides and whose `.` matches newlines. @throws RE2JSException */
export function compileFullMatch(pattern: string): FullMatch {
  // Alone it must be one too: an error names it as it was written, and `)(` does not pass.
  if (closesMore(pattern)) RE2JS.compile(pattern);
  try {
    return RE2JS.compile(`^(?s:${pattern})$`);
  } catch (error) {
    RE2JS.compile(pattern);
    throw error;
  }
}

/** Whether there may be more parentheses closed than open somewhere. */
function closesMore(pattern: string): boolean {
  let open = 0;
  for (const character of pattern) {
    if (character === '(') open++;
    else if (character === ')' && --open < 0) return true;
  }
  return false;
}

/** The reason why an expression is none, in the words of Go's regexp; undefined when the error is another one. */
export function patternProblem(error: unknown): string | undefined {
  return error instanceof RE2JSException ? error.message : undefined;
}

/** @throws RE2JSException when the value of `=~` or `!~` is no regular expression of RE2. */
export function makeMatcher(label: string, operator: MatchOperator, value: string): Matcher {
  const base = { label, operator, value };
  if (operator === '=') return { ...base, words: undefined, matches: (text) => text === value };
  if (operator === '!=') return { ...base, words: undefined, matches: (text) => text !== value };
  const wanted = operator === '=~';
  const listed = alternatives(value);
  if (listed !== undefined) {
    const words = new Set(listed);
    return { ...base, words, matches: (text) => words.has(text) === wanted };
  }
  const expression = compileFullMatch(value);
  return { ...base, words: undefined, matches: (text) => expression.matches(text) === wanted };
}
