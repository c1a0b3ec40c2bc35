/** What durations, `@` and `offset` mean once the query's start, end and step are known. */

import type { Duration, TimeShift } from '../parse/ast.js';
import type { QueryRun } from './run.js';

/** A duration that depends on the query came out wrong. `message` begins with its place, as Prometheus's does. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
  constructor({ start, end }: Duration, detail: string) {
    super(`${start}:${end}: ${detail}`);
  }
}

/** Seconds of nanoseconds that fit into 64 bits. */
const MAX_SECONDS = 2 ** 63 / 1e9;

/** Raises to a power as Go's math.Pow does: 1 to any power and -1 to an infinite one are 1. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Number.POSITIVE_INFINITY || exponent === Number.NEGATIVE_INFINITY)) return 1;
  return base ** exponent;
}

function secondsOf(duration: Duration, run: QueryRun): number {
  const { start, end, step } = run.options;
  switch (duration.kind) {
    case 'seconds':
      return duration.value;
    case 'step':
      return step / 1000;
    case 'range':
      return (end - start) / 1000;
    case 'group':
      return secondsOf(duration.operand, run);
    case 'sign':
      return duration.operator === '-' ? -secondsOf(duration.operand, run) : secondsOf(duration.operand, run);
    case 'operation':
      return operate(duration, secondsOf(duration.left, run), secondsOf(duration.right, run));
  }
}

function operate(duration: Duration & { kind: 'operation' }, left: number, right: number): number {
  switch (duration.operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new DurationError(duration, 'division by zero');
      return left / right;
    case '%':
      if (right === 0) throw new DurationError(duration, 'modulo by zero');
      return left % right;
    case '^':
      return power(left, right);
    case 'min_of':
      return Math.min(left, right);
    case 'max_of':
      return Math.max(left, right);
  }
}

/** Milliseconds. @throws DurationError for what is no duration, and below or at 0 unless `signed`. */
export function millisecondsOf(duration: Duration, run: QueryRun, signed = false): number {
  if (duration.kind === 'seconds') return Math.trunc(Math.round(duration.value * 1e9) / 1e6);
  const seconds = secondsOf(duration, run);
  if (!Number.isFinite(seconds)) throw new DurationError(duration, 'duration is NaN or infinite');
  if (seconds <= 0 && !signed) throw new DurationError(duration, 'duration must be greater than 0');
  if (Math.abs(seconds) > MAX_SECONDS) throw new DurationError(duration, 'duration is out of range');
  return Math.trunc(seconds * 1000);
}

/** Where a selector or subquery looks: a shift of each step's time, and with `@` the one time that is looked at. */
export interface Shift {
  readonly shift: number;
  readonly fixed: number | undefined;
}

/** @throws DurationError */
export function shiftOf({ offset, at }: TimeShift, run: QueryRun): Shift {
  const shift = offset === undefined ? 0 : -millisecondsOf(offset, run, true);
  if (at === undefined) return { shift, fixed: undefined };
  const base = at === 'start' ? run.options.start : at === 'end' ? run.options.end : at;
  return { shift, fixed: base + shift };
}
