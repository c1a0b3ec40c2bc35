/**
 * Expressions whose value does not change from step to step, because all their selectors have `@`: they are evaluated at
 * one step, and the result is repeated.
 */

import { type Expr, unwrap } from '../parse/ast.js';

/** These look at the time of the step although their arguments do not. */
const timeDependent: ReadonlySet<string> = new Set([
  ...'days_in_month day_of_month day_of_week day_of_year hour minute month year'.split(' '),
  ...'predict_linear time timestamp'.split(' '),
]);

/** Calls that are constants of the query. */
export const queryConstants: ReadonlySet<string> = new Set(['start', 'end', 'range', 'step']);

export function isInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'selector':
    case 'subquery':
      return expr.at !== undefined;
    case 'range':
      return expr.selector.at !== undefined;
    case 'parentheses':
    case 'unary':
    case 'aggregation':
      return isInvariant(expr.expr);
    case 'binary':
      return isInvariant(expr.left) && isInvariant(expr.right);
    case 'call': {
      const { name } = expr.signature;
      if (queryConstants.has(name)) return true;
      const args = expr.args.every(isInvariant);
      if (name === 'timestamp') return args && expr.args.every((arg) => unwrap(arg).kind === 'selector');
      return args && !timeDependent.has(name);
    }
  }
}
