import type { Instance } from './instance.js';
import { SpanField } from './tables/layouts.js';

/** A stretch of time, unix seconds; from > to: it is empty. */
export interface Span {
  from: number;
  to: number;
}

/** The stretch of time at an address. */
export function readSpan(instance: Instance, at: number): Span {
  return { from: instance.f64(at + SpanField.From), to: instance.f64(at + SpanField.To) };
}
