/** Values shaped like those that node collectors send, reproducible from a seed. */

/** Uniform numbers in [0, 1). */
export type Random = () => number;

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

/** The generator mulberry32 (Tommy Ettinger, public domain): small, fast, good enough for test data. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0, deviation 1 (Box and Muller 1958, one of the pair). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

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
