import { stat } from 'node:fs/promises';
import { readBin, readBinWindow } from './bin-reader.js';
import { type ReferenceFile, type ReferenceHost, scanReferenceDirectory } from './directory.js';
import { readJsonCheckpoint, readJsonWindow } from './json-reader.js';
import { type LogDamage, readReferenceLog } from './log-reader.js';
import { type LogBatch, ReferenceFormatError, type SeriesRun } from './types.js';

/** Damaged stretches of one log that are reported one by one; the others only as a number. */
const MAX_REPORTED = 16;

/** Receives what a directory holds. What a method returns is awaited before more is read. */
export interface ReferenceSink {
  /** A run without missing bins at its ends. See `SeriesRun.start` for where its values belong. */
  run(run: SeriesRun): void | Promise<void>;
  /** Samples of a log, to be written over the runs. */
  samples(batch: LogBatch): void | Promise<void>;
  /**
   * A file is not whole from `offset` on. What could be read of it is delivered all the same.
   * @param torn nothing follows: a log whose writer died, which is no damage.
   */
  damaged(file: string, offset: number, why: string, torn: boolean): void | Promise<void>;
}

export interface LoadOptions {
  /** Unix seconds; only bins and samples of this time and later are delivered. */
  since: number;
  /** Restricts the load to some hosts; absent: all. For loading into partitions. */
  accept?: (cluster: string, host: string) => boolean;
}

export interface LoadSummary {
  hosts: number;
  /** Files read. Those whose window ends before `since` are passed over and do not count. */
  files: number;
  /** Bins and log samples delivered, missing bins not counted. */
  samples: number;
  damaged: number;
}

/**
 * Loads what the reference left in its checkpoint directory: host by host, checkpoints oldest first, then the log over
 * them. Damage is reported and passed over; errors of the file system reject.
 */
export async function loadReference(dir: string, options: LoadOptions, sink: ReferenceSink): Promise<LoadSummary> {
  const summary: LoadSummary = { hosts: 0, files: 0, samples: 0, damaged: 0 };
  const { accept } = options;
  for (const host of await scanReferenceDirectory(dir)) {
    if (accept !== undefined && !accept(host.cluster, host.host)) continue;
    summary.hosts++;
    await loadHost(host, options.since, sink, summary);
  }
  return summary;
}

async function loadHost(host: ReferenceHost, since: number, sink: ReferenceSink, summary: LoadSummary): Promise<void> {
  for (const file of host.files) {
    try {
      if (await endsBefore(file, since)) continue;
      summary.files++;
      if (file.kind === 'log') await loadLog(file.path, since, sink, summary);
      else await loadCheckpoint(file, since, sink, summary);
    } catch (error) {
      if (!(error instanceof ReferenceFormatError)) throw error;
      summary.damaged++;
      await sink.damaged(error.file, error.offset, error.why, false);
    }
  }
}

async function endsBefore(file: ReferenceFile, since: number): Promise<boolean> {
  if (file.kind === 'log' || file.from >= since) return false;
  const window = file.kind === 'bin' ? await readBinWindow(file.path) : await readJsonWindow(file.path);
  return window !== undefined && window.to !== 0 && window.to < since;
}

async function loadCheckpoint(
  file: ReferenceFile,
  since: number,
  sink: ReferenceSink,
  summary: LoadSummary,
): Promise<void> {
  for await (const run of file.kind === 'bin' ? readBin(file.path) : readJsonCheckpoint(file.path)) {
    const count = trimRun(run, since);
    if (count === 0) continue;
    summary.samples += count;
    await sink.run(run);
  }
}

/**
 * Cuts what is before `since` and the missing bins at both ends; infinite values, which the store does not have, become
 * missing.
 * @returns how many values are left that are not missing; 0: none, and the run is unchanged.
 */
function trimRun(run: SeriesRun, since: number): number {
  const { values, frequency } = run;
  let first = -1;
  let last = -1;
  let count = 0;
  for (let i = Math.max(0, Math.ceil((since - run.start) / frequency)); i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) {
      if (first < 0) first = i;
      last = i;
      count++;
    } else {
      values[i] = Number.NaN;
    }
  }
  if (count > 0) {
    run.start += first * frequency;
    run.values = values.subarray(first, last + 1);
  }
  return count;
}

async function loadLog(path: string, since: number, sink: ReferenceSink, summary: LoadSummary): Promise<void> {
  const waiting: LogDamage[] = [];
  let found = 0;
  const { size } = await stat(path);
  const report = async () => {
    for (const { from, to, why } of waiting.splice(0)) {
      await sink.damaged(path, from, `${why}; ${to - from} bytes up to the next whole record passed over`, to === size);
    }
  };
  const batches = readReferenceLog(path, (damage) => {
    if (found++ < MAX_REPORTED) waiting.push(damage);
  });
  for await (const batch of batches) {
    await report();
    const kept = keepSince(batch, since);
    if (kept.count === 0) continue;
    summary.samples += kept.count;
    await sink.samples(kept);
  }
  await report();
  summary.damaged += found;
  if (found > MAX_REPORTED)
    await sink.damaged(path, 0, `${found - MAX_REPORTED} more damaged stretches passed over`, false);
}

/** Closes the gaps in place. NaN and infinite samples, which the store refuses, go as well. */
function keepSince(batch: LogBatch, since: number): LogBatch {
  const { seriesIndex, timestamps, values } = batch;
  let kept = 0;
  for (let i = 0; i < batch.count; i++) {
    if (!((timestamps[i] as number) >= since && Number.isFinite(values[i]))) continue;
    seriesIndex[kept] = seriesIndex[i] as number;
    timestamps[kept] = timestamps[i] as number;
    values[kept] = values[i] as number;
    kept++;
  }
  return { ...batch, count: kept };
}
