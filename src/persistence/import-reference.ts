/** Takes what the Go server left in the checkpoint directory into a partition: its own hosts only. */
import type { Core } from '../core/instance.js';
import type { Logger } from '../log.js';
import { loadReference } from './reference/load.js';
import type { LogBatch, SeriesRun } from './reference/types.js';

/**
 * Reads the reference's files below `directory`. @param since unix seconds: older samples are left out.
 * @returns whether anything was there.
 */
export async function importReference(core: Core, directory: string, since: number, log: Logger): Promise<boolean> {
  const summary = await loadReference(
    directory,
    { since, accept: (cluster, host) => core.partitionOf(cluster, host, core.partitions) === core.index },
    {
      run(run: SeriesRun): void {
        core.importRun([run.cluster, run.host, ...run.levels], run.metric, run.start, run.frequency, run.values, since);
      },
      samples(batch: LogBatch): void {
        importLog(core, batch, since);
      },
      damaged(file: string, offset: number, why: string): void {
        log.err(`${file}: damaged at byte ${offset} (${why}); what is whole of it is kept`);
      },
    },
  );
  if (summary.files) {
    const { samples, hosts, files } = summary;
    log.info(`${directory}: ${samples} samples of ${hosts} hosts taken over from ${files} files of the Go server`);
  }
  return summary.files > 0;
}

/** Log records come one sample at a time, mostly one series after the other: runs of one value, in order. */
function importLog(core: Core, batch: LogBatch, since: number): void {
  const one = new Float64Array(1);
  for (let i = 0; i < batch.count; i++) {
    const series = batch.series[batch.seriesIndex[i] ?? 0];
    if (!series) continue;
    one[0] = batch.values[i] ?? Number.NaN;
    core.importRun(
      [batch.cluster, batch.host, ...series.levels],
      series.metric,
      batch.timestamps[i] ?? 0,
      1,
      one,
      since,
    );
  }
}
