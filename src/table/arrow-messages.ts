/**
 * Messages of Arrow's IPC stream (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format): what stands in
 * front of the columns' bytes. Slots and codes are those of Arrow's format/Schema.fbs and format/Message.fbs, version V5.
 *
 *   message  ff ff ff ff │ bytes of metadata, u32 │ metadata: a flatbuffer, padded to 8 │ body: buffers, padded to 8 each
 *   stream   schema, a dictionary for each text column, record batches, ff ff ff ff 00 00 00 00
 */
import { Builder } from 'flatbuffers';
import { QUERY, type Table, TIMESTAMP, VALUE } from './table.js';

/** `MetadataVersion`. */
const V5 = 4;
/** Members of the union `MessageHeader`. */
enum Header {
  Schema = 1,
  Dictionary = 2,
  RecordBatch = 3,
}
/** Members of the union `Type`. */
enum Type {
  Int = 2,
  FloatingPoint = 3,
  Utf8 = 5,
  Timestamp = 10,
}
/** `Precision` and `TimeUnit`. */
const DOUBLE = 2;
const MILLISECOND = 1;

/** Rows of a column, and how many of them are null. */
export interface Node {
  length: number;
  nulls: number;
}

/** Builds what a schema, a dictionary or a batch says. @returns its offset. */
type Build = (builder: Builder) => number;

function message(kind: Header, build: Build, bodyLength: number): Uint8Array {
  const builder = new Builder(1024);
  const header = build(builder);
  builder.startObject(5);
  builder.addFieldInt16(0, V5, 0);
  builder.addFieldInt8(1, kind, 0);
  builder.addFieldOffset(2, header, 0);
  builder.addFieldInt64(3, BigInt(bodyLength), 0n);
  builder.finish(builder.endObject());
  const metadata = builder.asUint8Array();
  const padded = padTo8(metadata.length);
  const bytes = new Uint8Array(8 + padded);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, padded, true);
  bytes.set(metadata, 8);
  return bytes;
}

function padTo8(length: number): number {
  return (length + 7) & ~7;
}

function table(builder: Builder, slots: number, fill: () => void): number {
  builder.startObject(slots);
  fill();
  return builder.endObject();
}

function vectorOf(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

function int32(builder: Builder): number {
  return table(builder, 2, () => {
    builder.addFieldInt32(0, 32, 0);
    builder.addFieldInt8(1, 1, 0);
  });
}

function timestamp(builder: Builder): number {
  const zone = builder.createString('UTC');
  return table(builder, 2, () => {
    builder.addFieldInt16(0, MILLISECOND, 0);
    builder.addFieldOffset(1, zone, 0);
  });
}

function double(builder: Builder): number {
  return table(builder, 1, () => builder.addFieldInt16(0, DOUBLE, 0));
}

function field(builder: Builder, name: string, kind: Type, type: number, dictionary?: number): number {
  const nameAt = builder.createString(name);
  const children = vectorOf(builder, []);
  let encoding = 0;
  if (dictionary !== undefined) {
    const index = int32(builder);
    encoding = table(builder, 4, () => {
      builder.addFieldInt64(0, BigInt(dictionary), 0n);
      builder.addFieldOffset(1, index, 0);
    });
  }
  return table(builder, 7, () => {
    builder.addFieldOffset(0, nameAt, 0);
    builder.addFieldInt8(1, dictionary === undefined ? 0 : 1, 0);
    builder.addFieldInt8(2, kind, 0);
    builder.addFieldOffset(3, type, 0);
    builder.addFieldOffset(4, encoding, 0);
    builder.addFieldOffset(5, children, 0);
  });
}

function keyValue(builder: Builder, key: string, value: string): number {
  const keyAt = builder.createString(key);
  const valueAt = builder.createString(value);
  return table(builder, 2, () => {
    builder.addFieldOffset(0, keyAt, 0);
    builder.addFieldOffset(1, valueAt, 0);
  });
}

/** The schema of a table; text columns are dictionaries, numbered from 0. */
export function schemaMessage({ hasQueries, columns, notes }: Table): Uint8Array {
  return message(
    Header.Schema,
    (builder) => {
      const fields = hasQueries ? [field(builder, QUERY, Type.Int, int32(builder))] : [];
      for (const [number, { name }] of columns.entries()) {
        fields.push(
          field(
            builder,
            name,
            Type.Utf8,
            table(builder, 0, () => {}),
            number,
          ),
        );
      }
      fields.push(field(builder, TIMESTAMP, Type.Timestamp, timestamp(builder)));
      fields.push(field(builder, VALUE, Type.FloatingPoint, double(builder)));
      const all = vectorOf(builder, fields);
      const said = vectorOf(
        builder,
        [...notes].map(([key, value]) => keyValue(builder, key, value)),
      );
      return table(builder, 4, () => {
        builder.addFieldOffset(1, all, 0);
        builder.addFieldOffset(2, said, 0);
      });
    },
    0,
  );
}

/** @param compressed the buffers are LZ4 frames with their length in front. */
function recordBatch(
  builder: Builder,
  nodes: readonly Node[],
  buffers: readonly Uint8Array[],
  compressed: boolean,
): number {
  builder.startVector(16, nodes.length, 8);
  for (const { length, nulls } of nodes.toReversed()) {
    builder.prep(8, 16);
    builder.writeInt64(BigInt(nulls));
    builder.writeInt64(BigInt(length));
  }
  const nodesAt = builder.endVector();
  let end = 0;
  const places = buffers.map((buffer) => {
    const start = end;
    end += padTo8(buffer.length);
    return { start, length: buffer.length };
  });
  builder.startVector(16, places.length, 8);
  for (const { start, length } of places.toReversed()) {
    builder.prep(8, 16);
    builder.writeInt64(BigInt(length));
    builder.writeInt64(BigInt(start));
  }
  const buffersAt = builder.endVector();
  // Its members have the codes 0: LZ4 frames, buffer by buffer.
  const compression = compressed ? table(builder, 2, () => {}) : 0;
  return table(builder, 5, () => {
    builder.addFieldInt64(0, BigInt(nodes[0]?.length ?? 0), 0n);
    builder.addFieldOffset(1, nodesAt, 0);
    builder.addFieldOffset(2, buffersAt, 0);
    builder.addFieldOffset(3, compression, 0);
  });
}

const padding = new Uint8Array(8);

/** A message and its body as the parts that are to be sent one after the other. */
function withBody(kind: Header, build: Build, buffers: readonly Uint8Array[]): Uint8Array[] {
  const bodyLength = buffers.reduce((sum, { length }) => sum + padTo8(length), 0);
  const parts = [message(kind, build, bodyLength)];
  for (const buffer of buffers) {
    if (buffer.length > 0) parts.push(buffer);
    const missing = padTo8(buffer.length) - buffer.length;
    if (missing > 0) parts.push(padding.subarray(0, missing));
  }
  return parts;
}

/** The texts of a column: bits of presence, which may be empty, offsets, bytes. */
export function dictionaryMessage(number: number, node: Node, buffers: readonly Uint8Array[]): Uint8Array[] {
  const build: Build = (builder) => {
    const data = recordBatch(builder, [node], buffers, false);
    return table(builder, 3, () => {
      builder.addFieldInt64(0, BigInt(number), 0n);
      builder.addFieldOffset(1, data, 0);
    });
  };
  return withBody(Header.Dictionary, build, buffers);
}

/** Rows: a node a column, and its bits of presence and data as buffers of Arrow's compressed form. */
export function batchMessage(nodes: readonly Node[], buffers: readonly Uint8Array[]): Uint8Array[] {
  return withBody(Header.RecordBatch, (builder) => recordBatch(builder, nodes, buffers, true), buffers);
}

/** What ends a stream. */
export const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);
