/**
 * What Prometheus says of a text that the grammar refuses. lezer goes on after an error as editors need it, so the shape of
 * the tree behind it means nothing: the place alone is taken, and the tokens before it say what was expected there.
 */

import { ParseError } from './position.js';
import { aggregationNames, describe, type Scan, type Token } from './scan.js';

const groupings = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const DURATION_STARTS = 'number, duration, step(), or range()';

/** Brackets that are open before a token, innermost last: the index of each bracket's token. */
function openBrackets(tokens: readonly Token[], end: number): number[] {
  const open: number[] = [];
  for (let at = 0; at < end; at++) {
    const { word } = tokenAt(tokens, at);
    if (word === '(' || word === '[' || word === '{') open.push(at);
    else if (word === ')' || word === ']' || word === '}') open.pop();
  }
  return open;
}

const nothing: Token = { type: 'end', start: 0, text: '', word: '' };

function tokenAt(tokens: readonly Token[], at: number): Token {
  return tokens[at] ?? nothing;
}

/** The index of the word that the parenthesis at `at` belongs to: an aggregation, its `by` list, a function. */
function ownerOf(tokens: readonly Token[], at: number): Token {
  const before = tokenAt(tokens, at - 1);
  if (before.word !== ')') return before;
  // `sum by (a) (`: the list and its keyword stand between.
  const list = openingOf(tokens, at - 1);
  const keyword = tokenAt(tokens, list - 1);
  return keyword.word === 'by' || keyword.word === 'without' ? tokenAt(tokens, list - 2) : nothing;
}

function openingOf(tokens: readonly Token[], closing: number): number {
  let depth = 0;
  for (let at = closing; at > 0; at--) {
    const { word } = tokenAt(tokens, at);
    if (word === ')') depth++;
    if (word === '(' && --depth === 0) return at;
  }
  return 0;
}

/** `" in X"` and `", expected Y"` for the token at `at`. */
function expectation(tokens: readonly Token[], at: number): string {
  const last = tokenAt(tokens, at - 1);
  const open = openBrackets(tokens, at);
  const innermost = open.at(-1);
  const bracket = innermost === undefined ? '' : tokenAt(tokens, innermost).word;
  if (bracket === '{') return labelMatching(last);
  if (bracket === '[' && innermost !== undefined) return rangeSelector(tokens.slice(innermost + 1, at));
  if (last.word === 'offset') return ` in offset, expected ${DURATION_STARTS}`;
  if (last.word === '@') return ' in @, expected timestamp';
  if (at > 1 && groupings.has(last.word)) return ' in grouping opts, expected "("';
  if (innermost !== undefined && groupings.has(tokenAt(tokens, innermost - 1).word)) {
    return last.word === '(' || last.word === ','
      ? ' in grouping opts, expected label'
      : ' in grouping opts, expected "," or ")"';
  }
  // `sum by (a)` is not complete; `sum` alone may be a metric's name.
  const afterList = last.word === ')' && aggregationNames.has(ownerOf(tokens, at).word);
  const inAggregation = open.some((parenthesis) => aggregationNames.has(ownerOf(tokens, parenthesis).word));
  return inAggregation || afterList ? ' in aggregation' : '';
}

function labelMatching(last: Token): string {
  if (last.word === '{' || last.word === ',') return ' in label matching, expected identifier or "}"';
  if (last.type === 'identifier') return ' in label matching, expected label matching operator';
  if (last.type === 'word') return ' in label matching, expected string';
  return ' in label matching, expected "," or "}"';
}

function rangeSelector(inside: readonly Token[]): string {
  const colon = inside.findIndex(({ word }) => word === ':');
  const last = inside.at(-1);
  const complete = last !== undefined && (last.type !== 'word' || last.word === ')');
  if (colon < 0) {
    return complete
      ? ' in subquery or range, expected ":" or "]"'
      : ` in subquery or range selector, expected ${DURATION_STARTS}`;
  }
  if (!complete) {
    return ' in subquery selector, expected number, duration, step(), range(), or "]"';
  }
  return ' in subquery selector, expected "]"';
}

/**
 * The error for a text that lezer could not read.
 * @param from where its first error node begins.
 */
export function syntaxError(text: string, { tokens, error }: Scan, from: number): ParseError {
  const at = tokens.findIndex((token) => token.start >= from);
  const token = tokens[at];
  if (token === undefined) {
    return new ParseError(error?.start ?? text.length, error?.message ?? 'unexpected end of input', text);
  }
  const before = tokenAt(tokens, at - 1);
  // Errors inside of a call's parentheses come before the one that its name is unknown.
  if (token.word === '(' && (before.type === 'identifier' || before.word === 'min_of' || before.word === 'max_of')) {
    if (error !== undefined) return new ParseError(error.start, error.message, text);
    return new ParseError(before.start, `unknown function with name "${before.text}"`, text);
  }
  if (token.word === ')' && before.word === ',') {
    return new ParseError(before.start, 'trailing commas not allowed in function call args', text);
  }
  return new ParseError(token.start, `unexpected ${describe(token)}${expectation(tokens, at)}`, text);
}
