/**
 * Pages of Parquet columns, made of runs of the same number: a library would want a string a row. It writes their headers.
 *
 *   data page (version 2)  header │ levels, RLE: 1 = there is a text │ compressed: data
 *   data of texts          bits of a number, u8 │ numbers, RLE
 *   run of RLE             count << 1, varint │ number, as many bytes as its bits need
 */
import type { Encoding } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { Repeats } from './batch.js';

export type Compress = (bytes: Uint8Array) => Uint8Array;

/** Pages of a column chunk, in order. */
export interface Pages {
  parts: Uint8Array[];
  /** Bytes with headers, as they are and before they were compressed. */
  compressed: number;
  uncompressed: number;
  rows: number;
}

export function noPages(): Pages {
  return { parts: [], compressed: 0, uncompressed: 0, rows: 0 };
}

function add(pages: Pages, header: Uint8Array, levels: Uint8Array, data: Uint8Array, plain: number): void {
  const before = header.length + levels.length;
  pages.parts.push(header, levels, data);
  pages.compressed += before + data.length;
  pages.uncompressed += before + plain;
}

interface PageRows {
  rows: number;
  nulls: number;
  encoding: Encoding;
  levels: Uint8Array;
}

function addPage(
  pages: Pages,
  { rows, nulls, encoding, levels }: PageRows,
  plain: Uint8Array,
  compress: Compress,
): void {
  const data = plain.length > 0 ? compress(plain) : plain;
  const writer = new ByteWriter(64);
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.length + plain.length,
    compressed_page_size: levels.length + data.length,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: nulls,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: levels.length,
      repetition_levels_byte_length: 0,
      is_compressed: plain.length > 0,
    },
  });
  add(pages, writer.getBytes(), levels, data, plain.length);
  pages.rows += rows;
}

const NO_LEVELS = new Uint8Array(0);

/** A page of a column without nulls. @param plain its values, little-endian. */
export function addPlainPage(pages: Pages, rows: number, plain: Uint8Array, compress: Compress): void {
  addPage(pages, { rows, nulls: 0, encoding: 'PLAIN', levels: NO_LEVELS }, plain, compress);
}

function writeRun(writer: ByteWriter, number: number, count: number, bytes: number): void {
  writer.appendVarInt(count << 1);
  for (let byte = 0; byte < bytes; byte++) writer.appendUint8((number >> (8 * byte)) & 255);
}

function bitsFor(texts: number): number {
  return Math.max(1, 32 - Math.clz32(texts - 1));
}

/** A page of texts by their numbers in a dictionary of so many; -1: null. */
export function addTextPage(pages: Pages, { numbers, counts }: Repeats, texts: number, compress: Compress): void {
  const levels = new ByteWriter(64);
  const data = new ByteWriter(64);
  const bits = bitsFor(texts);
  data.appendUint8(bits);
  let rows = 0;
  let nulls = 0;
  for (const [i, number] of numbers.entries()) {
    const count = counts[i] ?? 0;
    rows += count;
    writeRun(levels, number < 0 ? 0 : 1, count, 1);
    if (number < 0) nulls += count;
    else writeRun(data, number, count, (bits + 7) >> 3);
  }
  const isNull = nulls === rows;
  const page: PageRows = { rows, nulls, encoding: texts === 0 ? 'PLAIN' : 'RLE_DICTIONARY', levels: levels.getBytes() };
  addPage(pages, page, isNull && texts === 0 ? NO_LEVELS : data.getBytes(), compress);
}

/** The page of texts that a column's numbers mean, to stand before its other pages. */
export function dictionaryPage(texts: readonly string[], compress: Compress): Pages {
  const encoded = texts.map((text) => Buffer.from(text));
  const plain = new ByteWriter(1024);
  for (const bytes of encoded) {
    plain.appendUint32(bytes.length);
    plain.appendBytes(bytes);
  }
  const data = compress(plain.getBytes());
  const writer = new ByteWriter(64);
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: plain.offset,
    compressed_page_size: data.length,
    dictionary_page_header: { num_values: texts.length, encoding: 'PLAIN' },
  });
  const pages = noPages();
  add(pages, writer.getBytes(), NO_LEVELS, data, plain.offset);
  return pages;
}
