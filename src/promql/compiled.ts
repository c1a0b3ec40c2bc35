/** Expressions that were compiled, kept for the next time that the same is asked: dashboards and alerts ask it every minute. */

import type { Expr } from './parse/ast.js';
import { parseExpr } from './parse/parser.js';
import { PatternBudget } from './parse/pattern-size.js';

/** Expressions that are kept. */
const MOST = 1000;
/** Bytes that they may take together, by the estimates below. */
const MOST_BYTES = 32 << 20;

/** Of the tree, at most about so many bytes a character: `{a="1",b="2"}`, `(1+1)+(1+1)`. */
const BYTES_A_CHARACTER = 128;
const BYTES_AN_INSTRUCTION = 256;

interface Compiled {
  readonly expr: Expr;
  readonly bytes: number;
}

export class CompiledExpressions {
  /** In the order of their last use. */
  private readonly byText = new Map<string, Compiled>();
  private bytes = 0;

  /** How many are kept. */
  get size(): number {
    return this.byText.size;
  }

  /** @throws ParseError */
  compile(query: string): Expr {
    const known = this.byText.get(query);
    if (known !== undefined) {
      this.byText.delete(query);
      this.byText.set(query, known);
      return known.expr;
    }
    const patterns = new PatternBudget();
    const expr = parseExpr(query, patterns);
    const bytes = query.length * BYTES_A_CHARACTER + patterns.used * BYTES_AN_INSTRUCTION;
    this.byText.set(query, { expr, bytes });
    this.bytes += bytes;
    while (this.byText.size > MOST || this.bytes > MOST_BYTES) this.dropOldest();
    return expr;
  }

  private dropOldest(): void {
    for (const [text, { bytes }] of this.byText) {
      this.byText.delete(text);
      this.bytes -= bytes;
      return;
    }
  }
}
