/** Expressions as text again, in one line, as Prometheus prints them: two of a kind are found by it. */

import type { AtModifier, Binary, Duration, Expr, TimeShift, VectorSelector } from './ast.js';
import { formatDuration, formatPlain } from './literals.js';
import { quote } from './quote.js';

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const SIGNS = { '+': '', '-': '-' } as const;

function labelName(name: string): string {
  return LABEL.test(name) ? name : quote(name);
}

function labelList(names: readonly string[]): string {
  return names.map(labelName).join(', ');
}

function seconds(value: number, duration: boolean): string {
  if (!duration) return formatPlain(value);
  return `${value < 0 ? '-' : ''}${formatDuration(Math.round(Math.abs(value) * 1000))}`;
}

/** A duration; one without arithmetic in units. */
export function printDuration(duration: Duration): string {
  switch (duration.kind) {
    case 'seconds':
      return seconds(duration.value, duration.duration);
    case 'step':
    case 'range':
      return `${duration.kind}()`;
    case 'sign':
      return `${SIGNS[duration.operator]}${printDuration(duration.operand)}`;
    case 'group':
      return `(${printDuration(duration.operand)})`;
    case 'operation': {
      const left = printDuration(duration.left);
      const right = printDuration(duration.right);
      if (duration.operator === 'min_of' || duration.operator === 'max_of') {
        return `${duration.operator}(${left}, ${right})`;
      }
      return `${left} ${duration.operator} ${right}`;
    }
  }
}

/** A range, step or offset: a literal in units, whatever it was written in. */
function inUnits(duration: Duration): string {
  return duration.kind === 'seconds' ? seconds(duration.value, true) : printDuration(duration);
}

function atText(at: AtModifier): string {
  return typeof at === 'number' ? (at / 1000).toFixed(3) : `${at}()`;
}

function shiftText({ offset, at }: TimeShift): string {
  const unset = offset === undefined || (offset.kind === 'seconds' && offset.value === 0);
  return `${at === undefined ? '' : ` @ ${atText(at)}`}${unset ? '' : ` offset ${inUnits(offset)}`}`;
}

function selectorText({ name, matchers }: VectorSelector): string {
  const texts = matchers
    .filter(({ label, operator, value }) => label !== '__name__' || operator !== '=' || value !== name || name === '')
    .map(({ label, operator, value }) => `${labelName(label)}${operator}${quote(value)}`)
    .sort();
  return texts.length === 0 && name !== '' ? name : `${name}{${texts.join(',')}}`;
}

function matchingText({ matching: { on, labels, cardinality, include } }: Binary): string {
  const grouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  let text = '';
  if (labels.length > 0 || on || grouped) text = ` ${on ? 'on' : 'ignoring'} (${labelList(labels)})`;
  if (grouped) text += ` group_${cardinality === 'many-to-one' ? 'left' : 'right'} (${labelList(include)})`;
  return text;
}

/** The expression in one line; parsed again it is the same. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return seconds(expr.value, expr.duration);
    case 'string':
      return quote(expr.value);
    case 'parentheses':
      return `(${printExpr(expr.expr)})`;
    case 'unary':
      return `${expr.operator}${printExpr(expr.expr)}`;
    case 'binary': {
      const operator = `${expr.operator}${expr.bool ? ' bool' : ''}${matchingText(expr)}`;
      return `${printExpr(expr.left)} ${operator} ${printExpr(expr.right)}`;
    }
    case 'aggregation': {
      const labels = labelList(expr.labels);
      const by = expr.without ? ` without (${labels}) ` : expr.labels.length > 0 ? ` by (${labels}) ` : '';
      const parameter = expr.parameter === undefined ? '' : `${printExpr(expr.parameter)}, `;
      return `${expr.operator}${by}(${parameter}${printExpr(expr.expr)})`;
    }
    case 'call':
      return `${expr.signature.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'selector':
      return `${selectorText(expr)}${shiftText(expr)}`;
    case 'range':
      return `${selectorText(expr.selector)}[${inUnits(expr.range)}]${shiftText(expr.selector)}`;
    case 'subquery': {
      const step = expr.step === undefined ? '' : inUnits(expr.step);
      return `${printExpr(expr.expr)}[${inUnits(expr.range)}:${step}]${shiftText(expr)}`;
    }
  }
}
