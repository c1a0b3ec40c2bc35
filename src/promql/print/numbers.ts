/** Times and values as Prometheus's API prints them. */

import { formatPlain } from '../parse/literals.js';

/** The value of a sample: the shortest digits, an exponent of two digits below 1e-6 and from 1e21 on. */
export function formatSample(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatPlain(value);
  const text = String(value);
  const exponent = text.indexOf('e');
  // Of one digit only below 1e-6: from 1e21 on there are two.
  return exponent > 0 && text.length - exponent === 3 ? `${text.slice(0, -1)}0${text.slice(-1)}` : text;
}

/** Unix milliseconds as seconds: whole, or with exactly three decimals. */
export function formatTime(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const size = Math.abs(milliseconds);
  const rest = size % 1000;
  const seconds = formatPlain((size - rest) / 1000);
  return `${sign}${seconds}${rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`}`;
}
