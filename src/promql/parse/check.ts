/** Types and the other rules that can be checked without data, in Prometheus's order and words. */

import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  typeOf,
  type VectorSelector,
} from './ast.js';
import { ParseError } from './position.js';
import { quote } from './quote.js';
import { typeNames, type ValueType } from './value-type.js';

class Checker {
  constructor(private readonly query: string) {}

  check(expr: Expr): ValueType {
    const type = typeOf(expr);
    switch (expr.kind) {
      case 'aggregation':
        this.aggregation(expr);
        break;
      case 'binary':
        this.binary(expr);
        break;
      case 'call':
        this.call(expr);
        break;
      case 'parentheses':
        this.check(expr.expr);
        break;
      case 'unary': {
        const operand = this.check(expr.expr);
        if (operand !== 'scalar' && operand !== 'vector') {
          const rule = 'unary expression only allowed on expressions of type scalar or instant vector';
          this.fail(expr.start, `${rule}, got ${quote(typeNames[operand])}`);
        }
        break;
      }
      case 'subquery': {
        const inner = this.check(expr.expr);
        if (inner !== 'vector') {
          this.fail(expr.start, `subquery is only allowed on instant vector, got ${inner} instead`);
        }
        break;
      }
      case 'range':
        this.selector(expr.selector);
        break;
      case 'selector':
        this.selector(expr);
        break;
    }
    return type;
  }

  private fail(start: number, detail: string): never {
    throw new ParseError(start, detail, this.query);
  }

  private expect(expr: Expr, wanted: ValueType, context: string): void {
    const type = this.check(expr);
    if (type === wanted) return;
    this.fail(expr.start, `expected type ${typeNames[wanted]} in ${context}, got ${typeNames[type]}`);
  }

  private aggregation({ expr, operator, parameter }: Aggregation): void {
    this.expect(expr, 'vector', 'aggregation expression');
    if (parameter === undefined) return;
    this.expect(parameter, operator === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
  }

  private binary(expr: Binary): void {
    const { operator, left, right, matching } = expr;
    const types = [this.check(left), this.check(right)] as const;
    if (expr.bool && !isComparison(operator)) {
      this.fail(expr.operatorStart, 'bool modifier can only be used on comparison operators');
    }
    const scalars = types.filter((type) => type === 'scalar').length;
    if (isComparison(operator) && !expr.bool && scalars === 2) {
      this.fail(expr.operatorStart, 'comparisons between scalars must use BOOL modifier');
    }
    const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (both !== undefined) {
      this.fail(expr.operatorStart, `label ${quote(both)} must not occur in ON and GROUP clause at once`);
    }
    for (const [index, operand] of [left, right].entries()) {
      if (types[index] === 'scalar' || types[index] === 'vector') continue;
      this.fail(operand.start, 'binary expression must contain only scalar and instant vector types');
    }
    if (scalars > 0) {
      if (matching.labels.length > 0) {
        this.fail(expr.start, 'vector matching only allowed between instant vectors');
      }
      if (isSetOperator(operator)) {
        this.fail(expr.start, `set operator ${quote(operator)} not allowed in binary scalar expression`);
      }
    } else if (isSetOperator(operator) && matching.cardinality !== 'many-to-many') {
      this.fail(expr.start, `no grouping allowed for ${quote(operator)} operation`);
    }
    if (scalars === 2 && (operator === '</' || operator === '>/')) {
      this.fail(expr.start, `operator ${quote(operator)} not allowed for Scalar operations`);
    }
  }

  private call({ signature, args, start }: Call): void {
    const { name, args: types, variadic } = signature;
    const in_ = `in call to ${quote(name)}, got ${args.length}`;
    const least = variadic === 0 ? types.length : types.length - 1;
    const most = variadic < 0 ? Number.POSITIVE_INFINITY : least + variadic;
    if (variadic === 0 && args.length !== least) this.fail(start, `expected ${least} argument(s) ${in_}`);
    if (args.length < least) this.fail(start, `expected at least ${least} argument(s) ${in_}`);
    if (args.length > most) this.fail(start, `expected at most ${most} argument(s) ${in_}`);
    for (const [index, arg] of args.entries()) {
      const wanted = types[Math.min(index, types.length - 1)];
      if (wanted !== undefined) this.expect(arg, wanted, `call to function ${quote(name)}`);
    }
  }

  private selector({ name, matchers, start }: VectorSelector): void {
    if (name === '') {
      if (!matchers.some((matcher) => !matcher.matches(''))) {
        this.fail(start, 'vector selector must contain at least one non-empty matcher');
      }
      return;
    }
    const other = matchers.slice(0, -1).find(({ label }) => label === '__name__');
    if (other === undefined) return;
    this.fail(start, `metric name must not be set twice: ${quote(name)} or ${quote(other.value)}`);
  }
}

/** @throws ParseError for the first rule that the expression breaks. */
export function checkTypes(expr: Expr, query: string): void {
  new Checker(query).check(expr);
}
