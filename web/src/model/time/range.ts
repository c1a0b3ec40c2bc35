/** The span of time that is looked at: the last so many seconds, which moves, or a fixed one. */
import { formatSpan, formatTime, type Zone } from './times.js';

export type Range = { kind: 'last'; seconds: number } | { kind: 'fixed'; from: number; to: number };

export interface Span {
  /** Unix seconds, included. */
  from: number;
  /** Unix seconds, excluded. */
  to: number;
}

export const DEFAULT_RANGE: Range = { kind: 'last', seconds: 4 * 3600 };

/** What the menu offers. */
export const LAST_RANGES: readonly number[] = [900, 3600, 4 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400];

const UNIT_SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };
const LONGEST = 366 * 86_400;

/** As links have it: `4h`, or `1795501800-1795505400`. */
export function rangeText(range: Range): string {
  if (range.kind === 'fixed') return `${range.from}-${range.to}`;
  for (const unit of ['d', 'h', 'm']) {
    const size = UNIT_SECONDS[unit] ?? 1;
    if (range.seconds % size === 0) return `${range.seconds / size}${unit}`;
  }
  return `${Math.ceil(range.seconds / 60)}m`;
}

/** Undefined: not a range. */
export function parseRange(text: string): Range | undefined {
  const last = /^(\d{1,6})([mhd])$/.exec(text);
  if (last !== null) {
    const seconds = Number(last[1]) * (UNIT_SECONDS[last[2] ?? ''] ?? 0);
    return seconds > 0 && seconds <= LONGEST ? { kind: 'last', seconds } : undefined;
  }
  const fixed = /^(\d{1,11})-(\d{1,11})$/.exec(text);
  if (fixed === null) return undefined;
  const [from, to] = [Number(fixed[1]), Number(fixed[2])];
  return from < to && to - from <= LONGEST ? { kind: 'fixed', from, to } : undefined;
}

/** @param now unix seconds. */
export function spanOf(range: Range, now: number): Span {
  return range.kind === 'fixed'
    ? { from: range.from, to: range.to }
    : { from: Math.floor(now) - range.seconds, to: Math.floor(now) + 1 };
}

export function rangeLabel(range: Range, zone: Zone, now: number): string {
  if (range.kind === 'last') return `last ${formatSpan(range.seconds)}`;
  return `${formatTime(range.from, zone, now)} to ${formatTime(range.to, zone, now)}`;
}
