import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { FileSink } from '../../reference/atomic-file.js';
import type { SeriesKey } from './keyed-run.js';
import type { Row } from './series-rows.js';
import type { Zstd } from './zstd.js';

/** Rows held in memory and written at once, about 15 MiB. */
export const ROW_GROUP_ROWS = 1 << 18;

const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  repetition_type: 'REQUIRED',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
});
const integer = (name: string): SchemaElement => ({
  name,
  type: 'INT64',
  repetition_type: 'REQUIRED',
  // The logical type of newer readers says the same, but hyparquet-writer 0.17 puts its width as 32 bits instead of 8,
  // which DuckDB refuses.
  converted_type: 'INT_64',
});

/** The reference's schema, but for the value, which it keeps in single precision. */
const SCHEMA: SchemaElement[] = [
  { name: 'metrics', num_children: 8 },
  ...['cluster', 'hostname', 'metric', 'scope', 'scope_id'].map(text),
  ...['timestamp', 'frequency'].map(integer),
  { name: 'value', type: 'DOUBLE', repetition_type: 'REQUIRED' },
];

/** Hands the bytes of each row group on to the file. */
class SinkWriter extends ByteWriter {
  constructor(readonly sink: FileSink) {
    super(1 << 20);
  }

  async flush(): Promise<void> {
    await this.sink.append(this.getBytes());
    this.index = 0;
  }

  override finish(): Promise<void> {
    return this.flush();
  }
}

/** Writes an archive's rows, which must come in its order, a row group at a time. */
export class ParquetFile {
  rows = 0;
  readonly #parquet: ParquetWriter;
  readonly #cluster: string;
  readonly #hosts = new Array<string>(ROW_GROUP_ROWS);
  readonly #metrics = new Array<string>(ROW_GROUP_ROWS);
  readonly #scopes = new Array<string>(ROW_GROUP_ROWS);
  readonly #scopeIds = new Array<string>(ROW_GROUP_ROWS);
  readonly #timestamps = new BigInt64Array(ROW_GROUP_ROWS);
  readonly #frequencies = new BigInt64Array(ROW_GROUP_ROWS);
  readonly #values = new Float64Array(ROW_GROUP_ROWS);
  #used = 0;

  constructor(sink: FileSink, cluster: string, zstd: Zstd) {
    this.#cluster = cluster;
    this.#parquet = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: SCHEMA,
      codec: 'ZSTD',
      compressors: { ZSTD: zstd.compress },
      createdBy: 'cc-metric-store',
    });
  }

  /** Whether `append` must wait for `flush`. */
  get full(): boolean {
    return this.#used === ROW_GROUP_ROWS;
  }

  append({ host, metric, scope, scopeId }: SeriesKey, { timestamp, frequency, value }: Row): void {
    const row = this.#used++;
    this.#hosts[row] = host;
    this.#metrics[row] = metric;
    this.#scopes[row] = scope;
    this.#scopeIds[row] = scopeId;
    this.#timestamps[row] = BigInt(timestamp);
    this.#frequencies[row] = BigInt(frequency);
    this.#values[row] = value;
  }

  async flush(): Promise<void> {
    const used = this.#used;
    if (used === 0) return;
    this.#used = 0;
    this.rows += used;
    await this.#parquet.write({
      columnData: [
        { name: 'cluster', data: new Array<string>(used).fill(this.#cluster), encoding: 'RLE_DICTIONARY' },
        { name: 'hostname', data: this.#hosts.slice(0, used), encoding: 'RLE_DICTIONARY' },
        { name: 'metric', data: this.#metrics.slice(0, used), encoding: 'RLE_DICTIONARY' },
        { name: 'scope', data: this.#scopes.slice(0, used), encoding: 'RLE_DICTIONARY' },
        { name: 'scope_id', data: this.#scopeIds.slice(0, used), encoding: 'RLE_DICTIONARY' },
        { name: 'timestamp', data: this.#timestamps.subarray(0, used), encoding: 'DELTA_BINARY_PACKED' },
        { name: 'frequency', data: this.#frequencies.subarray(0, used), encoding: 'RLE_DICTIONARY' },
        // A dictionary would make 0 and -0 the same.
        { name: 'value', data: this.#values.subarray(0, used), encoding: 'PLAIN' },
      ],
      rowGroupSize: ROW_GROUP_ROWS,
    });
  }

  /** Writes what is left and the footer. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#parquet.finish();
  }
}
