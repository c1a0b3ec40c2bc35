/** Numbers and durations as PromQL's lexer takes them and Go's `strconv` and Prometheus's `model` read them. */

import { quote } from './quote.js';

/** Milliseconds of each unit, in the order in which they must be given. */
const units = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
/** Prometheus counts nanoseconds in 64 bits. */
const MAX_MILLISECONDS = 2 ** 63 / 1e6;

/** What is wrong with a duration: its form, or its length. */
export type DurationProblem = 'syntax' | 'range';

/** Milliseconds of `1h30m`, or what is wrong with it. Each unit once, in falling order, whole numbers. */
export function parseDuration(text: string): number | DurationProblem {
  if (text === '0') return 0;
  const found = DURATION.exec(text);
  if (found === null || text === '') return 'syntax';
  let milliseconds = 0;
  units.forEach(([, size], unit) => {
    const count = found[unit + 1];
    if (count !== undefined) milliseconds += Number(count) * size;
  });
  return milliseconds >= MAX_MILLISECONDS ? 'range' : milliseconds;
}

/** The error of Prometheus's `model.ParseDuration` for a text that `parseDuration` refused. */
export function durationError(problem: DurationProblem, text: string): string {
  if (problem === 'range') return 'duration out of range';
  for (const [, unit = ''] of text.matchAll(/\d+([a-z]+)/g)) {
    if (!units.some(([known]) => known === unit)) return `unknown unit ${quote(unit)} in duration ${quote(text)}`;
  }
  return `not a valid duration string: ${quote(text)}`;
}

/** `1h30m` of milliseconds, as Prometheus prints durations: years and weeks only where they come out even. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  let rest = milliseconds;
  let text = '';
  for (const [unit, size] of units) {
    const whole = unit === 'y' || unit === 'w';
    if (whole && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

const INTEGER = /^(?:0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9]\d*(?:_\d+)*)$/;
const FLOAT = /^(?:\d+(?:_\d+)*)?(?:\.(?:\d+(?:_\d+)*)?)?(?:[eE][+-]?\d+(?:_\d+)*)?$/;

function parseInteger(text: string): bigint {
  const digits = text.replaceAll('_', '');
  // Go reads 017 as octal where JavaScript wants 0o17.
  return BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
}

/** The number that a literal without units means, or undefined. `inf` and `nan` in any case; `_` between digits. */
export function parseNumber(text: string): number | undefined {
  const word = text.toLowerCase();
  if (word === 'inf') return Number.POSITIVE_INFINITY;
  if (word === 'nan') return Number.NaN;
  if (INTEGER.test(text)) {
    const value = parseInteger(text);
    if (value < 1n << 63n) return Number(value);
    if (/^0[xX]/.test(text)) return undefined;
  }
  if (!FLOAT.test(text) || !/\d/.test(text)) return undefined;
  const value = Number(text.replaceAll('_', ''));
  return Number.isFinite(value) ? value : undefined;
}

/** A number as Go's `FormatFloat(v, 'f', -1, 64)` writes it: the shortest digits, never an exponent. */
export function formatPlain(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential());
  if (found === null) return String(value);
  const [, sign = '', first = '', rest = '', exponentText = ''] = found;
  const digits = first + rest;
  const exponent = Number(exponentText);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (exponent >= digits.length - 1) return `${sign}${digits}${'0'.repeat(exponent - digits.length + 1)}`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
