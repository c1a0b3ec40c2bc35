/** A stretch of time that samples are in, for the host. */
import { SpanField } from '../../src/wasm/tables/layouts';
import { Series } from '../series/records';

@unmanaged
export class Span {
  /** Unix seconds; from > to: nothing is in it. */
  from: f64;
  to: f64;

  clear(): void {
    this.from = Infinity;
    this.to = -Infinity;
  }

  /** Takes in bins [first, end) of a series. */
  add(s: Series, first: i32, end: i32): void {
    this.from = min(this.from, <f64>s.timeOf(first));
    this.to = max(this.to, <f64>s.timeOf(end));
  }
}

if (offsetof<Span>('from') != SpanField.From || offsetof<Span>('to') != SpanField.To) {
  ERROR('layouts.ts has another layout of spans');
}
