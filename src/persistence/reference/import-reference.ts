/**
 * Takes what lies in the checkpoint directory in the reference's layout into a partition, its own hosts only: what the Go
 * server left, and our own JSON checkpoints.
 */

import type { Logger } from '../../base/log.js';
import type { Core } from '../../wasm/core.js';
import { isJsonWindow } from '../json/json-windows.js';
import { scanReferenceDirectory } from './directory.js';
import { loadReference } from './load.js';
import type { LogBatch, SeriesRun } from './types.js';

export interface Imported {
  /** Samples came from files that are not our own: they must be in our own before those may be moved away. */
  foreign: boolean;
  /** Paths of damaged files, to be set aside once what is good of them is safe elsewhere. */
  damaged: string[];
}

/**
 * Reads files below `directory`. @param since unix seconds: older samples are left out.
 * @param windowSeconds width of our own JSON windows; undefined: none of the files is our own.
 */
export async function importReference(
  core: Core,
  directory: string,
  since: number,
  windowSeconds: number | undefined,
  log: Logger,
): Promise<Imported> {
  const accept = (cluster: string, host: string): boolean => core.owns(cluster, host);
  const damaged = new Set<string>();
  const summary = await loadReference(
    directory,
    { since, accept },
    {
      run(run: SeriesRun): void {
        core.series.importRun(
          [run.cluster, run.host, ...run.levels],
          run.metric,
          run.start,
          run.frequency,
          run.values,
          since,
        );
      },
      samples(batch: LogBatch): void {
        importLog(core, batch, since);
      },
      damaged(file: string, offset: number, why: string, torn: boolean): void {
        if (torn) {
          log.warn(`${file}: torn at byte ${offset} (${why}); everything before it is kept`);
          return;
        }
        log.err(`${file}: damaged at byte ${offset} (${why}); what is whole of it is kept`);
        damaged.add(file);
      },
    },
  );
  if (!summary.files) return { foreign: false, damaged: [] };
  const foreign = windowSeconds === undefined || (await hasForeign(directory, accept, windowSeconds));
  const { samples, hosts, files } = summary;
  const whose = foreign ? 'in the layout of the Go server' : 'of JSON checkpoints';
  log.info(`${directory}: ${samples} samples of ${hosts} hosts read from ${files} files ${whose}`);
  return { foreign, damaged: [...damaged] };
}

async function hasForeign(
  directory: string,
  accept: (cluster: string, host: string) => boolean,
  windowSeconds: number,
): Promise<boolean> {
  for (const { cluster, host, files } of await scanReferenceDirectory(directory)) {
    if (!accept(cluster, host)) continue;
    for (const file of files) if (!(await isJsonWindow(file, windowSeconds))) return true;
  }
  return false;
}

/**
 * A log holds one sample of each series after the other: within a batch they are put together to runs. That keeps the
 * order of each series, which is all that counts.
 */
function importLog(core: Core, batch: LogBatch, since: number): void {
  const bySeries = new Map<number, number[]>();
  for (let i = 0; i < batch.count; i++) {
    const index = batch.seriesIndex[i] ?? 0;
    const list = bySeries.get(index);
    if (list) list.push(i);
    else bySeries.set(index, [i]);
  }
  for (const [index, samples] of bySeries) {
    const series = batch.series[index];
    if (!series) continue;
    const levels = [batch.cluster, batch.host, ...series.levels];
    for (const { start, step, values } of evenRuns(batch, samples)) {
      core.series.importRun(levels, series.metric, start, step, values, since);
    }
  }
}

/** Cuts samples into stretches at even distances. @param samples positions in the batch. */
function* evenRuns(
  { timestamps, values }: LogBatch,
  samples: number[],
): Generator<{ start: number; step: number; values: Float64Array }> {
  const time = (k: number): number => timestamps[samples[k] ?? 0] ?? 0;
  for (let first = 0; first < samples.length; ) {
    const step = first + 1 < samples.length ? time(first + 1) - time(first) : 1;
    let end = first + 1;
    // Steps back, or to the same time, end a run: they come as runs of one.
    if (step > 0) while (end < samples.length && time(end) - time(end - 1) === step) end++;
    const run = Float64Array.from(samples.slice(first, end), (i) => values[i] ?? Number.NaN);
    yield { start: time(first), step: Math.max(step, 1), values: run };
    first = end;
  }
}
