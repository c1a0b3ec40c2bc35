/** Texts in the order that people expect: numbers in them count as numbers, `a9` before `a10`. */

import { compareText } from '../labels.js';

function chunks(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

/** Below 0, 0 or above 0. */
export function compareNaturally(a: string, b: string): number {
  const left = chunks(a);
  const right = chunks(b);
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one = '', other = ''] = [left[at], right[at]];
    const numbers = /^\d/.test(one) && /^\d/.test(other) ? Number(one) - Number(other) : Number.NaN;
    const order = Number.isNaN(numbers) ? compareText(one, other) : numbers;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
