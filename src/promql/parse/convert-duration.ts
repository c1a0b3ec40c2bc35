/** Durations in brackets and behind `offset`: from lezer's tree to `Duration`, with the checks that need no query. */

import type { SyntaxNode } from '@lezer/common';
import type { Duration } from './ast.js';
import { durationError, parseDuration, parseNumber } from './literals.js';
import { ParseError } from './position.js';
import { quote } from './quote.js';

/** Seconds that fit into 64 bits of nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** The value of a number or duration literal, in seconds for the latter. @throws ParseError */
export function literalValue(text: string, start: number, query: string): { value: number; duration: boolean } {
  if (/[smhdwy]$/.test(text) && /^\d/.test(text)) {
    const milliseconds = parseDuration(text);
    if (typeof milliseconds === 'number') return { value: milliseconds / 1000, duration: true };
    throw new ParseError(start, durationError(milliseconds, text), query);
  }
  const value = parseNumber(text);
  if (value !== undefined) return { value, duration: false };
  const reason = /^[\d.]/.test(text) && !/^0[xX]/.test(text) ? 'value out of range' : 'invalid syntax';
  throw new ParseError(start, `error parsing number: strconv.ParseFloat: parsing ${quote(text)}: ${reason}`, query);
}

function operandsOf(node: SyntaxNode): SyntaxNode[] {
  return [...node.getChildren('DurationExpr'), ...node.getChildren('OffsetDurationExpr')];
}

function signed(operator: '+' | '-', operand: Duration, start: number, query: string): Duration {
  if (operand.kind !== 'seconds') {
    if (operator === '+') return operand;
    return { kind: 'sign', operator, operand, start, end: operand.end };
  }
  const value = operator === '-' ? -operand.value : operand.value;
  if (Math.abs(value) > MAX_SECONDS) throw new ParseError(start, 'duration out of range', query);
  return { ...operand, value, start };
}

const operations = new Map<string, '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of'>([
  ['Add', '+'],
  ['Sub', '-'],
  ['Mul', '*'],
  ['Div', '/'],
  ['Mod', '%'],
  ['Pow', '^'],
  ['DurationMinOf', 'min_of'],
  ['DurationMaxOf', 'max_of'],
]);

function unwrapped(duration: Duration): Duration {
  return duration.kind === 'group' ? duration.operand : duration;
}

function operation(node: SyntaxNode, operands: readonly SyntaxNode[], query: string): Duration | undefined {
  const [first, second] = operands;
  if (first === undefined || second === undefined) return undefined;
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    const operator = operations.get(child.name);
    if (operator === undefined) continue;
    const left = convertDuration(first, query);
    const right = convertDuration(second, query);
    if ((operator === '/' || operator === '%') && right.kind === 'seconds' && right.value === 0) {
      throw new ParseError(child.from, operator === '/' ? 'division by zero' : 'modulo by zero', query);
    }
    if (operator === 'min_of' || operator === 'max_of') {
      return { kind: 'operation', operator, left, right, start: node.from, end: node.to };
    }
    // Prometheus does not count the parentheses of an operand.
    return { kind: 'operation', operator, left, right, start: unwrapped(left).start, end: unwrapped(right).end };
  }
  return undefined;
}

/**
 * @param node a `DurationExpr` or `OffsetDurationExpr` without errors in it.
 * @throws ParseError for literals that mean no duration.
 */
export function convertDuration(node: SyntaxNode, query: string): Duration {
  const span = { start: node.from, end: node.to };
  const literal = node.getChild('NumberDurationLiteralInDurationContext');
  if (literal !== null) {
    const found = literalValue(query.slice(literal.from, literal.to), literal.from, query);
    if (Math.abs(found.value) > MAX_SECONDS) throw new ParseError(literal.from, 'duration out of range', query);
    return { kind: 'seconds', ...found, ...span };
  }
  const operands = operandsOf(node);
  const sign = node.getChild('UnaryOp');
  const [operand] = operands;
  if (sign !== null && operand !== undefined) {
    return signed(query[sign.from] === '-' ? '-' : '+', convertDuration(operand, query), node.from, query);
  }
  const found = operation(node, operands, query);
  if (found !== undefined) return found;
  if (node.getChild('DurationStep') !== null) return { kind: 'step', ...span };
  if (node.getChild('DurationRange') !== null) return { kind: 'range', ...span };
  if (operand === undefined) throw new ParseError(node.from, 'unexpected duration expression', query);
  const inner = convertDuration(operand, query);
  return inner.kind === 'seconds' || inner.kind === 'group' ? inner : { kind: 'group', operand: inner, ...span };
}

/** A range or a step, which must be above zero. @throws ParseError */
export function convertPositiveDuration(node: SyntaxNode, query: string): Duration {
  const duration = convertDuration(node, query);
  // NaN is not above zero either.
  if (duration.kind === 'seconds' && !(duration.value > 0)) {
    throw new ParseError(duration.start, 'duration must be greater than 0', query);
  }
  return duration;
}
