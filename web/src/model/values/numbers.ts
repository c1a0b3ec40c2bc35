/** Numbers for people: at most four digits, scaled by the unit's prefix. */
import type { Unit } from './units.js';

const LARGE = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const SMALL = ['', 'm', 'µ', 'n'];
/** Between a number and its unit, and between thousands: narrow, and no line ends there. */
export const NARROW = '\u202f';
/** What stands for a value that is not there. */
export const NO_VALUE = '–';

/** A value cut into its digits and the unit with its prefix, so that tables can align them. */
export interface Quantity {
  digits: string;
  unit: string;
}

/** Four significant digits at most, no exponent, trailing zeros left out. */
export function digitsOf(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? NO_VALUE : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const decimals = size >= 1000 || size === 0 ? 0 : Math.min(3, Math.max(0, 3 - Math.floor(Math.log10(size))));
  const text = value.toFixed(decimals);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return short === '-0' ? '0' : short.replace('-', '−');
}

/** The power of 1000 whose prefix shows the value with one to three digits before the point. */
function prefixStep(value: number, unit: Unit): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) return 0;
  // 999.95 would be shown as 1000 of the smaller prefix.
  const step = Math.floor(Math.log10(size * 1.0005) / 3);
  const least = unit.small ? 1 - SMALL.length : 0;
  return Math.min(Math.max(step, least), LARGE.length - 1);
}

/** `value` is in the metric's own unit, such as 90000 of MB/s; undefined and NaN: nothing was measured. */
export function quantityOf(value: number | undefined | null, unit: Unit): Quantity {
  if (value === undefined || value === null || Number.isNaN(value)) return { digits: NO_VALUE, unit: '' };
  if (!unit.scales) return { digits: digitsOf(value), unit: unit.name };
  const based = value * unit.factor;
  const step = prefixStep(based, unit);
  const prefix = step < 0 ? SMALL[-step] : LARGE[step];
  return { digits: digitsOf(based / 1000 ** step), unit: `${prefix}${unit.name}` };
}

/** `90 GB/s`, `42.5 %`, `–`. */
export function formatValue(value: number | undefined | null, unit: Unit): string {
  const { digits, unit: name } = quantityOf(value, unit);
  return name === '' ? digits : `${digits}${NARROW}${name}`;
}

/** Counts in full below 10 000 (`9 876`), scaled above (`148.6 k`). */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000) return groupDigits(Math.round(count));
  const { digits, unit } = quantityOf(count, { name: '', factor: 1, scales: true, small: false });
  return `${digits}${NARROW}${unit}`;
}

/** Thousands apart: `2 140 123`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, NARROW);
}

/** Bytes by powers of 1000, as disks and `memory-cap` count them. */
export function formatBytes(bytes: number): string {
  return formatValue(bytes, { name: 'B', factor: 1, scales: true, small: false });
}

/** `12 %`, `0.4 %`; of a share 0..1. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return NO_VALUE;
  const percent = share * 100;
  const digits =
    percent >= 10 || percent === 0 ? String(Math.round(percent)) : digitsOf(Number(percent.toPrecision(2)));
  return `${digits}${NARROW}%`;
}
