import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, writeAtomically } from '../../reference/atomic-file.js';
import { isSafeName } from '../../reference/host-tree.js';
import type { SeriesRun } from '../../reference/types.js';
import { archiveExists, readArchive } from './existing-archive.js';
import { compareKeys, type KeyedRun, keyRuns } from './keyed-run.js';
import { ParquetFile } from './parquet-file.js';
import { mergeRuns, SORT_BINS, sortRuns } from './run-sorter.js';
import { seriesRows } from './series-rows.js';
import { loadZstd } from './zstd.js';

export interface ArchiveResult {
  path: string;
  /** Rows in the file, those that it had before included. */
  rows: number;
}

export interface ArchiveOptions {
  /** Bins sorted in memory; more are sorted on disk, beside the archive. */
  sortBins?: number;
}

/** What a process that was killed while archiving leaves behind. */
const LEFTOVER = /^\d+\.parquet(\.sort-\d+)?\.tmp$/;

/**
 * Writes runs to `<directory>/<cluster>/<from>.parquet`: zstd, a row for every bin that is not missing, sorted by
 * hostname, metric, scope, scope_id, timestamp. Memory stays flat (some 100 MiB) whatever there is to archive.
 *
 * The file appears whole and synced, or not at all; what a killed process left is removed first. If the file exists
 * already its rows are kept and added to, and a row that comes again is not doubled, so repeating a call, or finishing
 * one of which the sources were partly deleted, is safe. Only one call for a cluster may run at a time.
 *
 * It computes for a good part of a second per million rows: call it in a worker.
 * @param runs in any order. They may be deleted from where they came once this resolves.
 * @returns undefined if there is no sample; then no file is made or touched.
 */
export async function writeArchive(
  directory: string,
  cluster: string,
  from: number,
  runs: AsyncIterable<SeriesRun> | Iterable<SeriesRun>,
  options: ArchiveOptions = {},
): Promise<ArchiveResult | undefined> {
  if (!isSafeName(cluster)) throw new Error(`${JSON.stringify(cluster)} cannot name a directory`);
  const zstd = await loadZstd();
  const clusterDirectory = join(directory, cluster);
  await makeDirectory(clusterDirectory);
  await removeLeftovers(clusterDirectory);
  const path = join(clusterDirectory, `${from}.parquet`);
  const spillPath = (n: number) => `${path}.sort-${n}.tmp`;
  const sorted = sortRuns(keyRuns(runs, cluster), spillPath, options.sortBins ?? SORT_BINS);
  try {
    const first = await sorted.next();
    if (first.done === true) return undefined;
    const fresh = resume(first.value, sorted);
    const all = (await archiveExists(path)) ? mergeRuns([readArchive(path, zstd), fresh]) : fresh;
    let rows = 0;
    await writeAtomically(path, async (sink) => {
      const file = new ParquetFile(sink, cluster, zstd);
      for await (const series of groupByKey(all)) await appendSeries(file, series);
      await file.finish();
      rows = file.rows;
    });
    return { path, rows };
  } finally {
    await sorted.return(undefined);
  }
}

async function* resume(first: KeyedRun, rest: AsyncGenerator<KeyedRun>): AsyncGenerator<KeyedRun> {
  yield first;
  yield* rest;
}

/** The runs of one key together. Memory: the samples of one series. */
async function* groupByKey(runs: AsyncIterable<KeyedRun>): AsyncGenerator<KeyedRun[]> {
  let group: KeyedRun[] = [];
  for await (const run of runs) {
    const [first] = group;
    if (first !== undefined && compareKeys(first, run) !== 0) {
      yield group;
      group = [];
    }
    group.push(run);
  }
  if (group.length > 0) yield group;
}

async function appendSeries(file: ParquetFile, series: KeyedRun[]): Promise<void> {
  const key = series[0] as KeyedRun;
  for (const row of seriesRows(series)) {
    if (file.full) await file.flush();
    file.append(key, row);
  }
}

async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (LEFTOVER.test(name)) await rm(join(directory, name), { force: true });
  }
}
