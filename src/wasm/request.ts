/**
 * Queries in the binary form that the core reads (assembly/read/request.ts draws it). Made on the main thread: a worker copies
 * it into linear memory as it is.
 */
import { AnswerParts, QueryBits } from './tables/codes.js';

/** One query as cc-backend sends it; absent members have the protocol's defaults filled in. */
export interface SeriesQuery {
  metric: string;
  host: string;
  type?: string;
  typeIds: string[];
  subtype?: string;
  subtypeIds: string[];
  aggregate: boolean;
  /** Seconds; 0 and below: native. */
  resolution: number;
  /** 0: unscaled. */
  scaleBy: number;
}

export interface QueryRequest {
  cluster: string;
  from: number;
  to: number;
  queries: SeriesQuery[];
  /** Metrics to be answered for every node of the cluster, after `queries`. Undefined or empty: none. */
  forAllNodes?: string[];
  withStats: boolean;
  withData: boolean;
  withPadding: boolean;
  /** In a cluster: everything that was acknowledged anywhere has to be in the answer. */
  isStrong?: boolean;
}

const MAX_U16 = 0xffff;

/** Bytes of the first buffer, and of the largest that is kept. */
const FIRST = 4 << 10;
const KEEP = 1 << 20;
const encoder = new TextEncoder();

/** Appends little-endian values to a growing buffer. */
class Writer {
  #bytes = new Uint8Array(FIRST);
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
  /** A copy of what was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
  /** Forgets what was written, and the memory of an extraordinary request. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length <= KEEP) return;
    this.#bytes = new Uint8Array(FIRST);
    this.#data = new DataView(this.#bytes.buffer);
  }
}

/** Used again for each request. */
const writer = new Writer();

function writeQuery(q: SeriesQuery): void {
  const hasType = q.type !== undefined;
  const hasSubtype = q.subtype !== undefined;
  writer.u8(
    (hasType ? QueryBits.HasType : 0) |
      (q.aggregate ? QueryBits.Aggregate : 0) |
      (hasSubtype ? QueryBits.HasSubtype : 0),
  );
  writer.i64(q.resolution);
  writer.f64(q.scaleBy);
  writer.name(q.metric);
  writer.name(q.host);
  writer.name(q.type ?? '');
  writer.ids(hasType ? q.typeIds : []);
  writer.name(q.subtype ?? '');
  writer.ids(hasSubtype ? q.subtypeIds : []);
}

function writeHeader(request: QueryRequest, queries: number): void {
  writer.i64(request.from);
  writer.i64(request.to);
  writer.u32(
    (request.withStats ? AnswerParts.Stats : 0) |
      (request.withData ? AnswerParts.Data : 0) |
      (request.withPadding ? AnswerParts.Padding : 0),
  );
  writer.u32(queries);
  writer.name(request.cluster);
}

/** A request for these queries of one partition. */
export function encodeRequest(request: QueryRequest, queries: SeriesQuery[]): Uint8Array<ArrayBuffer> {
  writer.reset();
  writeHeader(request, queries.length);
  for (const query of queries) writeQuery(query);
  return writer.bytes();
}

/** A request for metrics of all nodes: one without queries, then u16 count and the metrics. */
export function encodeForAllNodes(request: QueryRequest, metrics: string[]): Uint8Array<ArrayBuffer> {
  writer.reset();
  writeHeader(request, 0);
  writer.u16(metrics.length);
  for (const metric of metrics) writer.name(metric);
  return writer.bytes();
}
