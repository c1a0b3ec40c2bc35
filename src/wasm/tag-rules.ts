/** The table of tags as the core reads it; assembly/text/tags.ts says what is in it. */
import type { TagRule } from '../config/influx-tags.js';

const encoder = new TextEncoder();

/** @param rules texts of at most 255 bytes. */
export function encodeTagRules(rules: readonly TagRule[]): Uint8Array {
  const numbers = new Map(rules.map(({ tag }, i) => [tag, i]));
  const bytes: number[] = [];
  for (const { tag, type, cut, node, unless } of rules) {
    for (const text of [tag, type, cut, node]) {
      const encoded = encoder.encode(text);
      bytes.push(encoded.length, ...encoded);
    }
    const mask = new DataView(new ArrayBuffer(8));
    const bits = unless.reduce((all, other) => all | (1n << BigInt(numbers.get(other) ?? 0)), 0n);
    mask.setBigUint64(0, bits, true);
    bytes.push(...new Uint8Array(mask.buffer));
  }
  return Uint8Array.from(bytes);
}
