/**
 * Queries in the binary form that the core reads (assembly/query.ts draws it). Made on the main thread: a worker copies
 * it into linear memory as it is.
 */
import type { QueryRequest, SeriesQuery } from './store.js';

const HAS_TYPE = 1;
const AGGREGATE = 2;
const HAS_SUBTYPE = 4;

const WITH_STATS = 1;
const WITH_DATA = 2;
const WITH_PADDING = 4;

const MAX_U16 = 0xffff;
const encoder = new TextEncoder();

/** Appends little-endian values to a growing buffer. */
class Writer {
  #bytes = new Uint8Array(4096);
  #data = new DataView(this.#bytes.buffer);
  #length = 0;

  #reserve(n: number): number {
    const at = this.#length;
    this.#length += n;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#data = new DataView(grown.buffer);
    }
    return at;
  }

  u8(v: number): void {
    const at = this.#reserve(1);
    this.#data.setUint8(at, v);
  }
  u16(v: number): void {
    const at = this.#reserve(2);
    this.#data.setUint16(at, v, true);
  }
  u32(v: number): void {
    const at = this.#reserve(4);
    this.#data.setUint32(at, v, true);
  }
  i64(v: number): void {
    const at = this.#reserve(8);
    this.#data.setBigInt64(at, BigInt(v), true);
  }
  f64(v: number): void {
    const at = this.#reserve(8);
    this.#data.setFloat64(at, v, true);
  }
  /** u16 length + UTF-8. A name that long is no series' name: it is cut and finds nothing. */
  name(text: string): void {
    const at = this.#reserve(2 + 3 * text.length);
    const { written } = encoder.encodeInto(
      text,
      this.#bytes.subarray(at + 2, at + 2 + Math.min(3 * text.length, MAX_U16)),
    );
    this.#data.setUint16(at, written, true);
    this.#length = at + 2 + written;
  }
  ids(ids: string[]): void {
    this.u32(ids.length);
    for (const id of ids) this.name(id);
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

function writeQuery(w: Writer, q: SeriesQuery): void {
  const hasType = q.type !== undefined;
  const hasSubtype = q.subtype !== undefined;
  w.u8((hasType ? HAS_TYPE : 0) | (q.aggregate ? AGGREGATE : 0) | (hasSubtype ? HAS_SUBTYPE : 0));
  w.i64(q.resolution);
  w.f64(q.scaleBy);
  w.name(q.metric);
  w.name(q.host);
  w.name(q.type ?? '');
  w.ids(hasType ? q.typeIds : []);
  w.name(q.subtype ?? '');
  w.ids(hasSubtype ? q.subtypeIds : []);
}

/** A request for these queries of one partition. */
export function encodeRequest(request: QueryRequest, queries: SeriesQuery[]): Uint8Array<ArrayBuffer> {
  const w = new Writer();
  w.i64(request.from);
  w.i64(request.to);
  w.u32(
    (request.withStats ? WITH_STATS : 0) |
      (request.withData ? WITH_DATA : 0) |
      (request.withPadding ? WITH_PADDING : 0),
  );
  w.u32(queries.length);
  w.name(request.cluster);
  for (const q of queries) writeQuery(w, q);
  return w.bytes();
}

/** Puts queries that the core made (`Core.expandNodes`) behind an empty request's header. */
export function withQueries(header: Uint8Array, queries: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(header.length + queries.length);
  out.set(header);
  out.set(queries, header.length);
  new DataView(out.buffer).setUint32(20, count, true);
  return out;
}
