import { access } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { MAX_RUN_BINS } from '../../reference/types.js';
import { compareKeys, EXISTING, type KeyedRun, type SeriesKey } from './keyed-run.js';
import { loadZstd, type Zstd } from './zstd.js';

interface ArchiveRow {
  hostname: string;
  metric: string;
  scope: string;
  scope_id: string;
  timestamp: bigint;
  frequency: bigint;
  value: number;
}

export async function archiveExists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Reads an archive back as runs, in its order, a row group at a time. Throws an error that names the file if it cannot
 * be read: then nothing may take its place.
 */
export async function* readArchive(path: string, zstd: Zstd): AsyncGenerator<KeyedRun> {
  let open: OpenRun | undefined;
  let rank = 0;
  for await (const row of readRows(path, zstd)) {
    const key = { host: row.hostname, metric: row.metric, scope: row.scope, scopeId: row.scope_id };
    const timestamp = Number(row.timestamp);
    const frequency = Number(row.frequency);
    if (open?.continues(key, timestamp, frequency) !== true) {
      if (open !== undefined) yield open.close(rank++);
      open = new OpenRun(key, timestamp, frequency);
    }
    open.values.push(row.value);
  }
  if (open !== undefined) yield open.close(rank);
}

/** `readArchive` for those who only look. */
export async function* archiveRuns(path: string): AsyncGenerator<KeyedRun> {
  yield* readArchive(path, await loadZstd());
}

class OpenRun {
  readonly values: number[] = [];

  constructor(
    readonly key: SeriesKey,
    readonly start: number,
    readonly frequency: number,
  ) {}

  continues(key: SeriesKey, timestamp: number, frequency: number): boolean {
    return (
      frequency === this.frequency &&
      timestamp === this.start + this.values.length * frequency &&
      this.values.length < MAX_RUN_BINS &&
      compareKeys(key, this.key) === 0
    );
  }

  close(rank: number): KeyedRun {
    const { key, start, frequency } = this;
    return { ...key, source: EXISTING, frequency, start, values: Float64Array.from(this.values), rank };
  }
}

async function* readRows(path: string, zstd: Zstd): AsyncGenerator<ArchiveRow> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const compressors = { ZSTD: zstd.decompress };
      yield* (await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors })) as unknown as ArchiveRow[];
      rowStart = rowEnd;
    }
  } catch (cause) {
    throw new Error(`${path}: not a readable Parquet archive, expected one to add to: ${String(cause)}`, { cause });
  }
}
