/** Names as bytes, in the forms that the core reads: lengths in front, little-endian. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** u16 length + UTF-8. */
export function encodeName(name: string): Uint8Array {
  const bytes = encoder.encode(name);
  const out = new Uint8Array(2 + bytes.length);
  new DataView(out.buffer).setUint16(0, bytes.length, true);
  out.set(bytes, 2);
  return out;
}

/** u16 count, then u16 length + UTF-8 each. */
export function encodeList(names: string[]): Uint8Array {
  const count = new Uint8Array(2);
  new DataView(count.buffer).setUint16(0, names.length, true);
  return concat([count, ...names.map(encodeName)]);
}

/** A selector as the core reads it: u16 length + UTF-8 each, without a count. */
export function encodeSelector(names: string[]): Uint8Array {
  return concat(names.map(encodeName));
}

/** A name's UTF-8, which is kept until another name is asked for: nearly always it is the same again. */
export class NameBytes {
  #name = '';
  #bytes: Uint8Array = new Uint8Array(0);

  of(name: string): Uint8Array {
    if (name !== this.#name) {
      this.#name = name;
      this.#bytes = encoder.encode(name);
    }
    return this.#bytes;
  }
}

/** All parts, one after the other. */
export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** u8 count, u8 length + UTF-8 each; then u16 length + metric: names as frames hold them. */
export function encodeNames(levels: string[], metric: string): Uint8Array {
  const parts = levels.map((level) => {
    const bytes = encoder.encode(level);
    return concat([Uint8Array.of(bytes.length), bytes]);
  });
  return concat([Uint8Array.of(levels.length), ...parts, encodeName(metric)]);
}

/** u8 count, u8 length + UTF-8 each. @returns also where they end. */
export function decodeLevels(bytes: Uint8Array): { levels: string[]; end: number } {
  const levels: string[] = [];
  let at = 1;
  for (let i = bytes[0] ?? 0; i > 0; i--) {
    const n = bytes[at] ?? 0;
    levels.push(decoder.decode(bytes.subarray(at + 1, at + 1 + n)));
    at += 1 + n;
  }
  return { levels, end: at };
}

/** Names one after the other, each u16 length + UTF-8. */
export function decodeList(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
    names.push(decoder.decode(bytes.subarray(at + 2, end)));
    at = end;
  }
  return names;
}

/** What `encodeNames` made. */
export function decodeNames(bytes: Uint8Array): { levels: string[]; metric: string } {
  const { levels, end } = decodeLevels(bytes);
  return { levels, metric: decoder.decode(bytes.subarray(end + 2)) };
}
