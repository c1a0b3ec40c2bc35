/** Selectors, lists of labels and the modifiers of selectors: from lezer's tree to nodes of our own. */

import type { SyntaxNode } from '@lezer/common';
import type { AtModifier, Expr, Subquery, VectorSelector } from './ast.js';
import { convertDuration, convertPositiveDuration, literalValue } from './convert-duration.js';
import { type Matcher, type MatchOperator, makeMatcher, patternProblem } from './matcher.js';
import { ParseError } from './position.js';
import { quote, unquote } from './quote.js';

/** The value of a `StringLiteral`. @throws ParseError */
export function stringValue(node: SyntaxNode, query: string): string {
  const text = query.slice(node.from, node.to);
  const value = unquote(text);
  if (value !== undefined) return value;
  throw new ParseError(node.from, `error unquoting string ${quote(text)}: invalid syntax`, query);
}

function matcher(start: number, label: string, operator: MatchOperator, value: string, query: string): Matcher {
  try {
    return makeMatcher(label, operator, value);
  } catch (error) {
    const problem = patternProblem(error);
    if (problem === undefined) throw error;
    throw new ParseError(start, problem, query);
  }
}

/** A name in quotes or without: of a label, or alone in quotes of the metric. */
function nameOf(node: SyntaxNode, query: string): string {
  const literal = node.name === 'StringLiteral' ? node : node.getChild('StringLiteral');
  return literal === null ? query.slice(node.from, node.to) : stringValue(literal, query);
}

function convertMatcher(node: SyntaxNode, query: string): Matcher {
  if (node.name === 'QuotedLabelName') return matcher(node.from, '__name__', '=', nameOf(node, query), query);
  const label = node.getChild('LabelName') ?? node.getChild('QuotedLabelName');
  const operator = node.getChild('MatchOp');
  const value = node.getChild('StringLiteral');
  if (label === null || operator === null || value === null) {
    throw new ParseError(node.from, 'unexpected label matcher', query);
  }
  const sign = query.slice(operator.from, operator.to) as MatchOperator;
  return matcher(node.from, nameOf(label, query), sign, stringValue(value, query), query);
}

/** @param node a `VectorSelector` without errors in it. @throws ParseError */
export function convertSelector(node: SyntaxNode, query: string): VectorSelector {
  const identifier = node.getChild('Identifier');
  const name = identifier === null ? '' : query.slice(identifier.from, identifier.to);
  const matchers: Matcher[] = [];
  const list = node.getChild('LabelMatchers');
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') matchers.push(convertMatcher(child, query));
  }
  if (name !== '') matchers.push(makeMatcher('__name__', '=', name));
  const span = { start: node.from, end: node.to };
  return { kind: 'selector', name, matchers, offset: undefined, at: undefined, ...span };
}

/** The names of a `GroupingLabels` node. @throws ParseError for an empty one. */
export function convertLabels(node: SyntaxNode, query: string): string[] {
  const names: string[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LabelName' && child.name !== 'QuotedLabelName') continue;
    const name = nameOf(child, query);
    if (name === '') throw new ParseError(child.from, 'invalid label name for grouping: ""', query);
    names.push(name);
  }
  return names;
}

/** What a modifier may stand behind: for a range the selector inside of it. */
function shiftable(expr: Expr, subject: string, query: string): VectorSelector | Subquery {
  if (expr.kind === 'selector' || expr.kind === 'subquery') return expr;
  if (expr.kind === 'range') return expr.selector;
  const expected = 'an instant vector selector or range vector selector or a subquery';
  throw new ParseError(expr.start, `${subject} modifier must be preceded by ${expected}`, query);
}

/** The expression with a new time shift, and with the end of the modifier. */
function shifted(expr: Expr, change: { offset?: Subquery['offset']; at?: AtModifier }, end: number): Expr {
  if (expr.kind === 'range') return { ...expr, selector: { ...expr.selector, ...change }, end };
  return { ...expr, ...change, end } as Expr;
}

/** Applies `offset D`. @param node the `OffsetExpr`. @throws ParseError */
export function applyOffset(expr: Expr, node: SyntaxNode, query: string): Expr {
  const child = node.getChild('OffsetDurationExpr');
  if (child === null) throw new ParseError(node.to, 'unexpected end of input in offset', query);
  const offset = convertDuration(child, query);
  const { offset: before } = shiftable(expr, 'offset', query);
  const unset = before === undefined || (before.kind === 'seconds' && before.value === 0);
  if (!unset) throw new ParseError(expr.start, 'offset may not be set multiple times', query);
  return shifted(expr, { offset }, node.to);
}

/** Go prints the number of this message with six decimals. */
function outOfBounds(seconds: number): string {
  const text = Number.isFinite(seconds) ? BigInt(seconds).toString() : String(seconds).replace('Infinity', 'Inf');
  const signedText = seconds === Number.POSITIVE_INFINITY ? `+${text}` : text;
  return `timestamp out of bounds for @ modifier: ${signedText}${Number.isFinite(seconds) ? '.000000' : ''}`;
}

function atModifier(expr: Expr, node: SyntaxNode, query: string): AtModifier {
  const word = node.getChild('AtModifierPreprocessors');
  if (word !== null) return word.getChild('AtStart') === null ? 'end' : 'start';
  const literal = node.getChild('NumberDurationLiteral', 'At');
  if (literal === null) throw new ParseError(node.to, 'unexpected end of input in @, expected timestamp', query);
  const seconds = signedLiteral(literal, query).value;
  if (!(Math.abs(seconds) < 2 ** 63)) throw new ParseError(expr.start, outOfBounds(seconds), query);
  return Math.round(seconds * 1000);
}

/** A `NumberDurationLiteral`, whose text may begin with a sign. */
export function signedLiteral(node: SyntaxNode, query: string): { value: number; duration: boolean } {
  const text = query.slice(node.from, node.to);
  const sign = /^[+-]/.test(text) ? 1 : 0;
  const found = literalValue(text.slice(sign).trimStart(), node.from + sign, query);
  return text.startsWith('-') ? { ...found, value: -found.value } : found;
}

/** Applies `@ T`. @param node the `StepInvariantExpr`. @throws ParseError */
export function applyAt(expr: Expr, node: SyntaxNode, query: string): Expr {
  const at = atModifier(expr, node, query);
  if (shiftable(expr, '@', query).at !== undefined) {
    throw new ParseError(expr.start, '@ <timestamp> may not be set multiple times', query);
  }
  return shifted(expr, { at }, node.to);
}

function bracketOf(node: SyntaxNode, query: string): number {
  // The bracket is no node of its own; it is the last one before the duration.
  return query.lastIndexOf('[', node.getChild('DurationExpr')?.from ?? node.to);
}

/** Applies `[R]`. @param node the `MatrixSelector`. @throws ParseError */
export function applyRange(expr: Expr, node: SyntaxNode, query: string): Expr {
  const duration = node.getChild('DurationExpr');
  const bracket = bracketOf(node, query);
  if (duration === null) throw new ParseError(bracket, 'unexpected range', query);
  const range = convertPositiveDuration(duration, query);
  if (expr.kind !== 'selector') throw new ParseError(bracket, 'ranges only allowed for vector selectors', query);
  if (expr.offset !== undefined && expr.offset.kind === 'seconds' && expr.offset.value !== 0) {
    throw new ParseError(bracket, 'no offset modifiers allowed before range', query);
  }
  if (typeof expr.at === 'number') throw new ParseError(bracket, 'no @ modifiers allowed before range', query);
  return { kind: 'range', selector: expr, range, start: expr.start, end: node.to };
}

/** Applies `[R:S]`. @param node the `SubqueryExpr`. @throws ParseError */
export function applySubquery(expr: Expr, node: SyntaxNode, query: string): Expr {
  const [range, step] = node.getChildren('DurationExpr');
  if (range === undefined) throw new ParseError(node.from, 'unexpected subquery', query);
  return {
    kind: 'subquery',
    expr,
    range: convertPositiveDuration(range, query),
    step: step === undefined ? undefined : convertPositiveDuration(step, query),
    offset: undefined,
    at: undefined,
    start: expr.start,
    end: node.to,
  };
}
