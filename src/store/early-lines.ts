/**
 * The payload of a frame of `early-writes/`: lines, and what was settled for them when they came.
 *
 *   0                 8               12               14              15
 *   ┌─────────────────┬───────────────┬────────────────┬───────────────┬──────────────────┬───────┐
 *   │ unix seconds,   │ units of times│ length of the  │ fields, u8:   │ cluster of lines │ lines │    little-endian
 *   │ f64             │ a second, u32 │ cluster, u16   │ 0 one, 1 all  │ that name none   │       │
 *   └─────────────────┴───────────────┴────────────────┴───────────────┴──────────────────┴───────┘
 *
 * The seconds are the time of lines without one. Units: 0 if each time says it by its magnitude. Fields: whether lines may
 * have several, or one that is called `value`.
 */
import type { Buffers } from './buffers.js';
import type { Lines } from './writes.js';

const FIELDS = 14;
const NAME = 15;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What comes before the lines. */
export function encodeHead({
  cluster,
  perSecond,
  fields,
  now,
}: Pick<Lines, 'cluster' | 'perSecond' | 'fields'> & { now: number }): Uint8Array {
  const name = encoder.encode(cluster);
  const head = new Uint8Array(NAME + name.length);
  const view = new DataView(head.buffer);
  view.setFloat64(0, now, true);
  view.setUint32(8, perSecond, true);
  view.setUint16(12, name.length, true);
  view.setUint8(FIELDS, fields === 'all' ? 1 : 0);
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
    fields: view.getUint8(FIELDS) === 1 ? 'all' : 'value',
    now: view.getFloat64(0, true),
  };
}
