/**
 * From lezer's tree to our own.
 *
 * lezer's grammar gives the right words in the right order, but not always the right shape: `a + b offset 5m` arrives as
 * `(a + b) offset 5m` and `-1 ^ 2` as `(-1) ^ 2`. Editors do not mind. So the nodes of operators, signs and modifiers are
 * laid out flat again, in the order of the text, and bound anew with Prometheus's precedence. What is inside of parentheses,
 * calls and aggregations is an operand, whatever its shape.
 */

import type { SyntaxNode } from '@lezer/common';
import type { AggregationOperator, BinaryOperator, Expr, VectorMatching } from './ast.js';
import { isSetOperator } from './ast.js';
import {
  applyAt,
  applyOffset,
  applyRange,
  applySubquery,
  convertLabels,
  convertSelector,
  signedLiteral,
  stringValue,
} from './convert-selector.js';
import { functions } from './functions.js';
import { ParseError } from './position.js';
import { quote } from './quote.js';

/** Nodes of an expression may lie in each other this deep: every walk over a tree is recursive. */
export const MAX_NESTING = 256;

/** From weak to strong; a sign binds like `*`, only `^` is to be read from right to left. */
const precedences: Record<BinaryOperator, number> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6,
};
const SIGN_PRECEDENCE = 5;

/** One word of the flat expression. */
type Item =
  | { readonly type: 'operand' | 'modifier'; readonly node: SyntaxNode }
  | { readonly type: 'sign'; readonly sign: '+' | '-'; readonly start: number }
  | { readonly type: 'operator'; readonly node: SyntaxNode; readonly owner: SyntaxNode };

const modifiers = new Set([
  'OffsetExpr',
  'MatrixSelector',
  'SubqueryExpr',
  'StepInvariantExpr',
  'AnchoredExpr',
  'SmoothedExpr',
]);

/** The words of an expression in the order of the text. Without recursion: a sum may have thousands of terms. */
function flatten(root: SyntaxNode, query: string): Item[] {
  const items: Item[] = [];
  const rest: (SyntaxNode | Item)[] = [root];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if ('type' in next && typeof next.type === 'string') {
      items.push(next as Item);
      continue;
    }
    const node = next as SyntaxNode;
    const [first, second] = node.getChildren('Expr');
    const sign = query[node.from] === '-' ? '-' : '+';
    if (node.name === 'BinaryExpr' && first !== undefined && second !== undefined) {
      const operator = first.nextSibling;
      if (operator === null) throw new ParseError(node.from, 'unexpected operator', query);
      rest.push(second, { type: 'operator', node: skipComments(operator), owner: node }, first);
    } else if (node.name === 'UnaryExpr' && first !== undefined) {
      rest.push(first);
      items.push({ type: 'sign', sign, start: node.from });
    } else if (modifiers.has(node.name) && first !== undefined) {
      rest.push({ type: 'modifier', node }, first);
    } else {
      if (node.name === 'NumberDurationLiteral' && /[+-]/.test(query[node.from] ?? '')) {
        items.push({ type: 'sign', sign, start: node.from });
      }
      items.push({ type: 'operand', node });
    }
  }
  return items;
}

function skipComments(node: SyntaxNode): SyntaxNode {
  let at = node;
  while (at.name === 'LineComment' && at.nextSibling !== null) at = at.nextSibling;
  return at;
}

/** Binds the flat words of one expression. */
class Binder {
  private at = 0;

  constructor(
    private readonly items: readonly Item[],
    private readonly converter: Converter,
    private readonly depth: number,
  ) {}

  /** An expression of operators that bind at least as strongly as `least`. @param depth of the expression's nodes. */
  expression(least: number, depth: number): Expr {
    let left = this.operand(depth);
    // Each turn of this loop puts another node around `left`.
    for (let nodes = depth; ; nodes++) {
      const item = this.items[this.at];
      if (item?.type !== 'operator') return left;
      const operator = this.converter.operatorOf(item.node);
      const precedence = precedences[operator];
      if (precedence < least) return left;
      this.converter.checkDepth(nodes + 1, item.node.from);
      this.at++;
      const right = this.expression(operator === '^' ? precedence : precedence + 1, nodes + 1);
      left = this.converter.binary(item.owner, item.node, operator, left, right);
    }
  }

  private operand(depth: number): Expr {
    const item = this.items[this.at++];
    if (item?.type === 'sign') {
      this.converter.checkDepth(depth, item.start);
      const operand = this.expression(SIGN_PRECEDENCE + 1, depth + 1);
      if (operand.kind === 'number') {
        return { ...operand, value: item.sign === '-' ? -operand.value : operand.value, start: item.start };
      }
      return { kind: 'unary', operator: item.sign, expr: operand, start: item.start, end: operand.end };
    }
    if (item?.type !== 'operand') throw new Error('BUG: an expression without operand');
    let expr = this.converter.operand(item.node, this.depth + depth);
    for (let next = this.items[this.at]; next?.type === 'modifier'; next = this.items[this.at]) {
      this.at++;
      expr = this.converter.modifier(next.node, expr);
    }
    return expr;
  }
}

export class Converter {
  constructor(private readonly query: string) {}

  /** @param depth how deep the node lies already. @throws ParseError */
  convert(node: SyntaxNode, depth: number): Expr {
    this.checkDepth(depth, node.from);
    return new Binder(flatten(node, this.query), this, depth).expression(0, 0);
  }

  /** @throws ParseError when a node at this depth would be nested too deep. */
  checkDepth(depth: number, start: number): void {
    if (depth > MAX_NESTING) throw this.error(start, nestingError);
  }

  private error(start: number, detail: string): ParseError {
    return new ParseError(start, detail, this.query);
  }

  private text(node: SyntaxNode): string {
    return this.query.slice(node.from, node.to);
  }

  operatorOf(node: SyntaxNode): BinaryOperator {
    return this.text(node).toLowerCase() as BinaryOperator;
  }

  operand(node: SyntaxNode, depth: number): Expr {
    const span = { start: node.from, end: node.to };
    switch (node.name) {
      case 'NumberDurationLiteral': {
        const { value, duration } = signedLiteral(node, this.query);
        // Its sign is a word of its own by now.
        const unsigned = this.query[node.from] === '-' ? -value : value;
        return { kind: 'number', value: unsigned, duration, ...span };
      }
      case 'StringLiteral':
        return { kind: 'string', value: stringValue(node, this.query), ...span };
      case 'ParenExpr': {
        const [inner] = node.getChildren('Expr');
        if (inner === undefined) break;
        return { kind: 'parentheses', expr: this.convert(inner, depth + 1), ...span };
      }
      case 'VectorSelector':
        return convertSelector(node, this.query);
      case 'AggregateExpr':
        return this.aggregation(node, depth);
      case 'FunctionCall':
        return this.call(node, depth);
    }
    throw this.error(node.from, `unexpected ${node.name}`);
  }

  modifier(node: SyntaxNode, expr: Expr): Expr {
    switch (node.name) {
      case 'OffsetExpr':
        return applyOffset(expr, node, this.query);
      case 'StepInvariantExpr':
        return applyAt(expr, node, this.query);
      case 'MatrixSelector':
        return applyRange(expr, node, this.query);
      case 'SubqueryExpr':
        return applySubquery(expr, node, this.query);
      default: {
        const word = node.name === 'AnchoredExpr' ? 'anchored' : 'smoothed';
        throw this.error(expr.start, `${word} modifier is experimental and not enabled`);
      }
    }
  }

  binary(owner: SyntaxNode, node: SyntaxNode, operator: BinaryOperator, left: Expr, right: Expr): Expr {
    if (owner.getChild('FillModifier') !== null) {
      throw this.error(left.start, 'binop fill modifiers are experimental and not enabled');
    }
    return {
      kind: 'binary',
      operator,
      operatorStart: node.from,
      left,
      right,
      bool: owner.getChild('BoolModifier') !== null,
      matching: this.matching(owner.getChild('MatchingModifierClause'), operator),
      start: left.start,
      end: right.end,
    };
  }

  private matching(clause: SyntaxNode | null, operator: BinaryOperator): VectorMatching {
    const ungrouped = isSetOperator(operator) ? 'many-to-many' : 'one-to-one';
    if (clause === null) return { on: false, labels: [], cardinality: ungrouped, include: [] };
    const [labels, include] = clause.getChildren('GroupingLabels');
    const left = clause.getChild('GroupLeft') !== null;
    const grouped = left || clause.getChild('GroupRight') !== null;
    return {
      on: clause.getChild('On') !== null,
      labels: labels === undefined ? [] : convertLabels(labels, this.query),
      cardinality: grouped ? (left ? 'many-to-one' : 'one-to-many') : ungrouped,
      include: include === undefined ? [] : convertLabels(include, this.query),
    };
  }

  private args(node: SyntaxNode, depth: number): Expr[] {
    const body = node.getChild('FunctionCallBody');
    return body?.getChildren('Expr').map((arg) => this.convert(arg, depth + 1)) ?? [];
  }

  private aggregation(node: SyntaxNode, depth: number): Expr {
    const word = node.getChild('AggregateOp');
    const operator = (word === null ? '' : this.text(word).toLowerCase()) as AggregationOperator;
    const modifier = node.getChild('AggregateModifier');
    const list = modifier?.getChild('GroupingLabels') ?? null;
    const labels = list === null ? [] : convertLabels(list, this.query);
    const args = this.args(node, depth);
    const wanted = parametrised.has(operator) ? 2 : 1;
    const expr = args[wanted - 1];
    if (args.length === 0) throw this.error(node.from, 'no arguments for aggregate expression provided');
    if (expr === undefined || args.length !== wanted) {
      const counts = `expected ${wanted}, got ${args.length}`;
      throw this.error(node.from, `wrong number of arguments for aggregate expression provided, ${counts}`);
    }
    const without = modifier?.getChild('Without') != null;
    const parameter = wanted === 2 ? args[0] : undefined;
    return { kind: 'aggregation', operator, expr, parameter, without, labels, start: node.from, end: node.to };
  }

  private call(node: SyntaxNode, depth: number): Expr {
    const identifier = node.getChild('FunctionIdentifier');
    const name = identifier === null ? '' : this.text(identifier);
    const args = this.args(node, depth);
    const signature = functions.get(name);
    if (signature === undefined) throw this.error(node.from, `unknown function with name ${quote(name)}`);
    return { kind: 'call', signature, args, start: node.from, end: node.to };
  }
}

export const nestingError = `query is nested too deeply, expected at most ${MAX_NESTING} levels`;

const parametrised: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'quantile',
  'count_values',
  'limitk',
  'limit_ratio',
]);
