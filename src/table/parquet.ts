/**
 * A table as a Parquet file, compressed with zstd, in row groups of at most 1 Mi rows: a page for each 64 Ki rows of a column,
 * which are kept compressed until the group is full.
 */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { Turns } from '../base/turns.js';
import { loadZstd } from '../persistence/archive/parquet/zstd.js';
import { Batch, expand } from './batch.js';
import { addPlainPage, addTextPage, type Compress, dictionaryPage, noPages, type Pages } from './parquet-pages.js';
import { MAX_RUN, QUERY, type Run, type Table, TIMESTAMP, VALUE } from './table.js';

const PAGE_ROWS = MAX_RUN;
const GROUP_ROWS = 1 << 20;

/** A column of the file, and its pages in the row group at hand. */
interface Column {
  readonly schema: SchemaElement;
  /** Undefined: the values stand in the pages as they are. */
  readonly texts: readonly string[] | undefined;
  pages: Pages;
}

function columnOf(schema: SchemaElement, texts?: readonly string[]): Column {
  return { schema, texts, pages: noPages() };
}

function columnsOf({ hasQueries, columns }: Table): Column[] {
  return [
    ...(hasQueries ? [columnOf({ name: QUERY, type: 'INT32', repetition_type: 'REQUIRED' })] : []),
    ...columns.map(({ name, texts }) =>
      columnOf(
        {
          name,
          type: 'BYTE_ARRAY',
          repetition_type: 'OPTIONAL',
          converted_type: 'UTF8',
          logical_type: { type: 'STRING' },
        },
        texts,
      ),
    ),
    columnOf({
      name: TIMESTAMP,
      type: 'INT64',
      repetition_type: 'REQUIRED',
      converted_type: 'TIMESTAMP_MILLIS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    }),
    columnOf({ name: VALUE, type: 'DOUBLE', repetition_type: 'REQUIRED' }),
  ];
}

class ParquetFile {
  readonly #columns: Column[];
  readonly #writer = new ByteWriter(1 << 16);
  /** Writes the footer. */
  readonly #file: ParquetWriter;
  readonly #hasQueries: boolean;
  readonly #compress: Compress;
  #rows = 0;

  constructor(table: Table, compress: Compress) {
    this.#columns = columnsOf(table);
    this.#hasQueries = table.hasQueries;
    this.#compress = compress;
    const schema: SchemaElement[] = [
      { name: 'samples', num_children: this.#columns.length },
      ...this.#columns.map((column) => column.schema),
    ];
    this.#file = new ParquetWriter({
      writer: this.#writer,
      schema,
      codec: 'ZSTD',
      compressors: { ZSTD: compress },
      kvMetadata: [...table.notes].map(([key, value]) => ({ key, value })),
      createdBy: 'cc-metric-store',
    });
  }

  get rows(): number {
    return this.#rows;
  }

  /** Makes a page of each column, in turns. */
  async addPages(batch: Batch): Promise<void> {
    const { rows } = batch;
    const turns = new Turns();
    this.#rows += rows;
    const columns = this.#columns.values();
    const next = (): Column => {
      const { value } = columns.next();
      if (value === undefined) throw new Error('BUG: more columns than the table has');
      return value;
    };
    if (this.#hasQueries) addPlainPage(next().pages, rows, expand(batch.queries, rows), this.#compress);
    for (const repeats of batch.texts) {
      const { pages, texts = [] } = next();
      addTextPage(pages, repeats, texts.length, this.#compress);
      if (turns.due()) await turns.pause();
    }
    addPlainPage(next().pages, rows, batch.timeBytes(0, rows), this.#compress);
    if (turns.due()) await turns.pause();
    addPlainPage(next().pages, rows, batch.plainValues(), this.#compress);
    await turns.pause();
  }

  /** Ends the row group. @returns its bytes. */
  *endGroup(): Generator<Uint8Array> {
    if (this.#rows === 0) return;
    const start = this.#writer.offset;
    yield this.#taken();
    let total = 0n;
    const chunks = this.#columns.map((column) => {
      const { schema, texts, pages } = column;
      const dictionary = texts?.length ? dictionaryPage(texts, this.#compress) : noPages();
      const at = this.#writer.offset;
      for (const part of [...dictionary.parts, ...pages.parts]) this.#writer.appendBytes(part);
      column.pages = noPages();
      const uncompressed = BigInt(dictionary.uncompressed + pages.uncompressed);
      total += uncompressed;
      return {
        file_offset: BigInt(at),
        meta_data: {
          type: schema.type ?? 'BYTE_ARRAY',
          encodings: texts?.length ? ['PLAIN' as const, 'RLE_DICTIONARY' as const] : ['PLAIN' as const],
          path_in_schema: [schema.name],
          codec: 'ZSTD' as const,
          num_values: BigInt(pages.rows),
          total_compressed_size: BigInt(dictionary.compressed + pages.compressed),
          total_uncompressed_size: uncompressed,
          data_page_offset: BigInt(at + dictionary.compressed),
          ...(texts?.length ? { dictionary_page_offset: BigInt(at) } : {}),
        },
      };
    });
    this.#file.row_groups.push({
      columns: chunks,
      total_byte_size: total,
      num_rows: BigInt(this.#rows),
      total_compressed_size: BigInt(this.#writer.offset - start),
    });
    this.#file.num_rows += BigInt(this.#rows);
    this.#rows = 0;
    yield this.#taken();
  }

  /** The footer. */
  end(): Uint8Array {
    void this.#file.finish();
    return this.#taken();
  }

  /** What was written since, which is overwritten by what follows. */
  #taken(): Uint8Array {
    const bytes = this.#writer.getBytes();
    this.#writer.index = 0;
    return bytes;
  }
}

/** The file in pieces, each of which is to be used before the next is asked for. @param compress zstd. */
export async function* parquetFile(table: Table, compress: Compress): AsyncGenerator<Uint8Array> {
  const file = new ParquetFile(table, compress);
  const batch = new Batch(table.columns.length, PAGE_ROWS);
  for await (const run of table.runs) {
    let rest: Run | undefined = run;
    while (rest !== undefined) {
      rest = batch.add(rest);
      if (batch.rows < PAGE_ROWS) continue;
      await file.addPages(batch);
      batch.clear();
      if (file.rows >= GROUP_ROWS) yield* file.endGroup();
    }
  }
  if (batch.rows > 0) await file.addPages(batch);
  yield* file.endGroup();
  yield file.end();
}

/** The same with the server's own zstd, which is loaded when it is first needed. */
export async function parquetOf(table: Table): Promise<AsyncGenerator<Uint8Array>> {
  const { compress } = await loadZstd();
  return parquetFile(table, compress);
}
