/**
 * The number that JSON shows for x with at most `decimals` decimals, rounded from its exact value, ties to even. Integer
 * arithmetic all the way: a double is m * 2^e.
 */
export function printDecimals(x: number, decimals: number): number {
  if (!Number.isFinite(x)) throw new Error('not a number that JSON shows');
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(x));
  const raw = bits.getBigUint64(0);
  const biased = Number(raw >> 52n);
  const m = (raw & 0xfffffffffffffn) | (biased ? 1n << 52n : 0n);
  const e = Math.max(biased, 1) - 1075;
  if (e >= 0) return x;
  const shift = BigInt(-e);
  const scaled = m * 10n ** BigInt(decimals);
  let units = scaled >> shift;
  const rest = scaled - (units << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && units & 1n)) units++;
  const text = units.toString().padStart(decimals + 1, '0');
  const value = Number(`${text.slice(0, -decimals)}.${text.slice(-decimals)}`);
  return x < 0 && value ? -value : value;
}
