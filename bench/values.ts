/** Values shaped like those that node collectors send, reproducible from a seed. */

import { normal, type Random } from '../src/simulate/random.js';

/**
 * - `percent`: 0..100, every digit of a double
 * - `rate`: a quotient of counters that wanders off, every digit of a double
 * - `steady`: one that comes back to its typical value
 * - `counter`: a growing integer, written with an `i`
 * - `gauge`: a slowly changing whole number
 * - `rare`: nearly always 0
 * - `constant`: never changes
 * - `load`: two decimals
 */
export type ValueKind = 'percent' | 'rate' | 'steady' | 'counter' | 'gauge' | 'rare' | 'constant' | 'load';

/**
 * The values of one series: each call gives the next, as line protocol writes it.
 * @param typical where a walk begins
 */
export function valuesOf(kind: ValueKind, typical: number, random: Random): () => string {
  let value = typical * (0.5 + random());
  switch (kind) {
    case 'percent':
      value = Math.min(value, 100);
      return () => {
        value = Math.min(100, Math.max(0, value + normal(random)));
        return String(value);
      };
    case 'rate':
      return () => {
        value = Math.abs(value * (1 + 0.05 * normal(random)));
        return String(value);
      };
    case 'steady':
      return () => {
        value = Math.abs(value + 0.1 * (typical - value) + 0.05 * typical * normal(random));
        return String(value);
      };
    case 'counter':
      value = Math.round(value);
      return () => {
        value += Math.floor(random() * 100_000);
        return `${value}i`;
      };
    case 'gauge':
      value = Math.round(value);
      return () => {
        value = Math.max(0, value + Math.floor(random() * 2001) - 1000);
        return String(value);
      };
    case 'rare':
      return () => (random() < 0.02 ? String(Math.floor(random() * 5)) : '0');
    case 'constant': {
      const text = String(Math.round(typical));
      return () => text;
    }
    case 'load':
      return () => {
        value = Math.max(0, value + 0.3 * normal(random));
        return String(Math.round(value * 100) / 100);
      };
  }
}
