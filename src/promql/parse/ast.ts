/**
 * A PromQL expression after parsing. Positions are indices into the query's text, from 0; `position.ts` prints them.
 * Nodes are never changed once the parser has handed them out: compiled expressions are shared by requests.
 */

import type { FunctionSignature } from './functions.js';
import type { Matcher } from './matcher.js';
import type { ValueType } from './value-type.js';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOperator = '==' | '!=' | '<=' | '<' | '>=' | '>';
export type SetOperator = 'and' | 'or' | 'unless';
/** Of native histograms only: on the float samples that this store has they find nothing. */
export type TrimOperator = '</' | '>/';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator | TrimOperator;

export type AggregationOperator =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

/** Where a node stands in the text: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface NumberLiteral extends Span {
  readonly kind: 'number';
  readonly value: number;
  /** Written with units (`1h30m`); the value is in seconds. */
  readonly duration: boolean;
}

export interface StringLiteral extends Span {
  readonly kind: 'string';
  readonly value: string;
}

export interface Parentheses extends Span {
  readonly kind: 'parentheses';
  readonly expr: Expr;
}

export interface Unary extends Span {
  readonly kind: 'unary';
  readonly operator: '+' | '-';
  readonly expr: Expr;
}

/** How the series of two vectors are paired. `many` is the side whose series outnumber the other's. */
export interface VectorMatching {
  /** Pair by `labels` only, or by all labels but these. */
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  /** Labels of the "one" side that the result gets. */
  readonly include: readonly string[];
}

export interface Binary extends Span {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly operatorStart: number;
  readonly left: Expr;
  readonly right: Expr;
  /** Comparisons answer 0 or 1 instead of filtering. */
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

export interface Aggregation extends Span {
  readonly kind: 'aggregation';
  readonly operator: AggregationOperator;
  readonly expr: Expr;
  /** k, the quantile, the ratio or the label. */
  readonly parameter: Expr | undefined;
  readonly without: boolean;
  readonly labels: readonly string[];
}

export interface Call extends Span {
  readonly kind: 'call';
  readonly signature: FunctionSignature;
  readonly args: readonly Expr[];
}

/** An arithmetic expression in brackets or behind `offset`, whose value depends on the query's step and range. */
export type Duration =
  | (Span & { readonly kind: 'seconds'; readonly value: number; readonly duration: boolean })
  | (Span & { readonly kind: 'step' | 'range' })
  | (Span & { readonly kind: 'sign'; readonly operator: '+' | '-'; readonly operand: Duration })
  | (Span & { readonly kind: 'group'; readonly operand: Duration })
  | (Span & {
      readonly kind: 'operation';
      readonly operator: '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of';
      readonly left: Duration;
      readonly right: Duration;
    });

/** The `@` modifier: unix milliseconds, or the query's start or end. */
export type AtModifier = number | 'start' | 'end';

/** What moves the time that a selector or subquery looks at. */
export interface TimeShift {
  readonly offset: Duration | undefined;
  readonly at: AtModifier | undefined;
}

export interface VectorSelector extends Span, TimeShift {
  readonly kind: 'selector';
  /** The name before the braces; empty when there is none. `matchers` has it too, last. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
}

export interface MatrixSelector extends Span {
  readonly kind: 'range';
  readonly selector: VectorSelector;
  readonly range: Duration;
}

export interface Subquery extends Span, TimeShift {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly range: Duration;
  /** Absent: the server's default. */
  readonly step: Duration | undefined;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | Parentheses
  | Unary
  | Binary
  | Aggregation
  | Call
  | VectorSelector
  | MatrixSelector
  | Subquery;

const comparisons: ReadonlySet<string> = new Set<ComparisonOperator>(['==', '!=', '<=', '<', '>=', '>']);
const setOperators: ReadonlySet<string> = new Set<SetOperator>(['and', 'or', 'unless']);

export function isComparison(operator: BinaryOperator): operator is ComparisonOperator {
  return comparisons.has(operator);
}

export function isSetOperator(operator: BinaryOperator): operator is SetOperator {
  return setOperators.has(operator);
}

/** The type of an expression's value, decided by its form alone. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'parentheses':
    case 'unary':
      return typeOf(expr.expr);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector';
    case 'call':
      return expr.signature.returns;
    case 'aggregation':
    case 'selector':
      return 'vector';
    case 'range':
    case 'subquery':
      return 'matrix';
  }
}

/** The expression inside of any parentheses. */
export function unwrap(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'parentheses') inner = inner.expr;
  return inner;
}
