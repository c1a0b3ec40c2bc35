/**
 * Values on their way between stores: JSON, and behind it the bytes of its buffers, which JSON holds as `{"$bytes": length}`.
 *
 *   0        4            8
 *   ┌────────┬────────────┬────────────┬───────┬────────────┬─────────────┐
 *   │ bytes  │ bytes of   │ JSON       │ zeros │ buffer     │ buffer ...  │   little-endian; each buffer at a multiple of 8
 *   │ of all │ the JSON   │            │       │            │             │
 *   └────────┴────────────┴────────────┴───────┴────────────┴─────────────┘
 */
const HEADER = 8;
const BYTES = '$bytes';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function aligned(at: number): number {
  return (at + 7) & ~7;
}

/** @param value of plain objects, arrays, strings, numbers, and of `Uint8Array` and `ArrayBuffer`, which are copied. */
export function encodeParcel(value: unknown): Uint8Array<ArrayBuffer> {
  const buffers: Uint8Array[] = [];
  const json = encoder.encode(
    JSON.stringify(value, function (this: Record<string, unknown>, key: string, member: unknown) {
      // Node's buffers have made an object of themselves by now.
      const own = this[key];
      const bytes = own instanceof ArrayBuffer ? new Uint8Array(own) : own;
      if (!(bytes instanceof Uint8Array)) return member;
      buffers.push(bytes);
      return { [BYTES]: bytes.length };
    }) ?? 'null',
  );
  let length = HEADER + json.length;
  for (const buffer of buffers) length = aligned(length) + buffer.length;
  const parcel = new Uint8Array(length);
  const view = new DataView(parcel.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, json.length, true);
  parcel.set(json, HEADER);
  let at = HEADER + json.length;
  for (const buffer of buffers) {
    at = aligned(at);
    parcel.set(buffer, at);
    at += buffer.length;
  }
  return parcel;
}

/** The length of the parcel that begins here; undefined: too little of it is there to say. */
export function parcelLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER) return undefined;
  return Math.max(HEADER, new DataView(bytes.buffer, bytes.byteOffset, HEADER).getUint32(0, true));
}

/**
 * The value. Buffers are `Uint8Array`s of their own.
 * @throws Error when it is none.
 */
export function decodeParcel(parcel: Uint8Array): unknown {
  if (parcelLength(parcel) !== parcel.length) throw new Error(`not a message between stores: ${parcel.length} bytes`);
  const jsonLength = new DataView(parcel.buffer, parcel.byteOffset, HEADER).getUint32(4, true);
  let at = HEADER + jsonLength;
  return JSON.parse(decoder.decode(parcel.subarray(HEADER, at)), (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || !(BYTES in member)) return member;
    const length = member[BYTES];
    at = aligned(at);
    if (typeof length !== 'number' || !(length >= 0 && at + length <= parcel.length)) {
      throw new Error('a message between stores was cut off');
    }
    at += length;
    return parcel.slice(at - length, at);
  });
}
