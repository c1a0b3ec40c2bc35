/**
 * The payload of a frame of `early-writes/`: lines, and what was settled for them when they came.
 *
 *   0                 8               12               14
 *   ┌─────────────────┬───────────────┬────────────────┬──────────────────┬───────┐
 *   │ unix seconds,   │ units of times│ length of the  │ cluster of lines │ lines │    little-endian
 *   │ f64             │ a second, u32 │ cluster, u16   │ that name none   │       │
 *   └─────────────────┴───────────────┴────────────────┴──────────────────┴───────┘
 *
 * The seconds are the time of lines without one. Units: 0 if each time says it by its magnitude.
 */
import type { Buffers } from './buffers.js';
import type { Lines } from './writes.js';

const NAME = 14;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What comes before the lines. */
export function encodeHead({
  cluster,
  perSecond,
  now,
}: Pick<Lines, 'cluster' | 'perSecond'> & { now: number }): Uint8Array {
  const name = encoder.encode(cluster);
  const head = new Uint8Array(NAME + name.length);
  const view = new DataView(head.buffer);
  view.setFloat64(0, now, true);
  view.setUint32(8, perSecond, true);
  view.setUint16(12, name.length, true);
  head.set(name, NAME);
  return head;
}

/** @param payload copied. @param buffers where the body comes from. @returns undefined: it makes no sense. */
export function decodeLines(payload: Uint8Array, buffers: Buffers): Lines | undefined {
  if (payload.length < NAME) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const start = NAME + view.getUint16(12, true);
  if (payload.length <= start) return undefined;
  const text = payload.subarray(start);
  const body = buffers.take(text.length);
  new Uint8Array(body).set(text);
  return {
    body,
    length: text.length,
    cluster: decoder.decode(payload.subarray(NAME, start)),
    perSecond: view.getUint32(8, true),
    now: view.getFloat64(0, true),
  };
}
