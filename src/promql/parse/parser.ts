/** PromQL's text to a checked expression. */

import type { Tree } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import type { Expr } from './ast.js';
import { checkTypes } from './check.js';
import { Converter, MAX_NESTING, nestingError } from './convert.js';
import type { Matcher } from './matcher.js';
import { PatternBudget } from './pattern-size.js';
import { ParseError } from './position.js';
import { type Scan, scan } from './scan.js';
import { syntaxError } from './syntax-error.js';

/** Bytes of a query's text. */
export const MAX_QUERY_BYTES = 64 * 1024;

/** lezer itself gives up or overflows the stack some way above this, at operators in a row as at brackets. */
const MAX_GRAMMAR_DEPTH = 4 * MAX_NESTING;

/** Where lezer's first error is; undefined when the text is what the grammar says. */
function firstError(tree: Tree): number | undefined {
  let found: number | undefined;
  tree.iterate({
    enter({ type, from }) {
      if (type.isError && found === undefined) found = from;
      return found === undefined;
    },
  });
  return found;
}

/** @throws ParseError for a text that is too long. */
export function checkTextSize(query: string): void {
  const bytes = Buffer.byteLength(query);
  if (bytes > MAX_QUERY_BYTES) {
    throw new ParseError(0, `query has ${bytes} bytes, expected at most ${MAX_QUERY_BYTES}`, query);
  }
}

/**
 * The query as lezer's grammar can read it, every place unchanged: it does not know all of Go's numbers (`5.`, `0x_1F`), nor
 * STEP() in capitals. What a number means is read from the query itself.
 */
function grammarText(query: string, { tokens }: Scan): string {
  let text = '';
  let end = 0;
  for (const { type, start, text: token, word } of tokens) {
    const numeric = (type === 'number' && /\d/.test(token)) || type === 'duration';
    if (!numeric && word === token) continue;
    text += query.slice(end, start) + (numeric ? '1'.repeat(token.length) : word);
    end = start + token.length;
  }
  return text + query.slice(end);
}

/**
 * @param patterns what regular expressions may come to; they are counted before any is compiled.
 * @throws ParseError with the place and what was expected, in Prometheus's words.
 */
export function parseExpr(query: string, patterns = new PatternBudget()): Expr {
  checkTextSize(query);
  const scanned = scan(query);
  patterns.take(query, scanned.tokens);
  if (scanned.tokens[0]?.type === 'end') throw new ParseError(0, 'no expression found in input', query);
  if (scanned.depth > MAX_GRAMMAR_DEPTH) throw new ParseError(0, nestingError, query);
  const tree = parser.parse(grammarText(query, scanned));
  const error = firstError(tree);
  if (error !== undefined && (scanned.error === undefined || error < scanned.error.token)) {
    throw syntaxError(query, scanned, error);
  }
  if (scanned.error !== undefined) throw new ParseError(scanned.error.start, scanned.error.message, query);
  const [node] = tree.topNode.getChildren('Expr');
  if (node === undefined) throw new ParseError(0, 'no expression found in input', query);
  const expr = new Converter(query).convert(node, 1);
  checkTypes(expr, query);
  return expr;
}

/** The matchers of a selector such as `match[]` has it. @throws ParseError for anything but a selector. */
export function parseSelector(text: string, patterns = new PatternBudget()): readonly Matcher[] {
  const expr = parseExpr(text, patterns);
  if (expr.kind === 'selector' && expr.offset === undefined && expr.at === undefined) return expr.matchers;
  throw new ParseError(expr.start, 'expected a selector such as metric{label="value"}', text);
}
