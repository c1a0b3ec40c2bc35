/** Operators on two doubles, as Go computes them. */

import type { ArithmeticOperator, BinaryOperator, ComparisonOperator } from '../parse/ast.js';
import { power } from './durations.js';

type Arithmetic = (left: number, right: number) => number;
type Comparison = (left: number, right: number) => boolean;

const arithmetic: Record<ArithmeticOperator, Arithmetic> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
  '^': power,
  atan2: Math.atan2,
};

const comparisons: Record<ComparisonOperator, Comparison> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

export function arithmeticOf(operator: BinaryOperator): Arithmetic | undefined {
  return Object.hasOwn(arithmetic, operator) ? arithmetic[operator as ArithmeticOperator] : undefined;
}

export function comparisonOf(operator: BinaryOperator): Comparison | undefined {
  return Object.hasOwn(comparisons, operator) ? comparisons[operator as ComparisonOperator] : undefined;
}
