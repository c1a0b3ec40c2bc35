/**
 * Archives a stretch of time. It reads all files with samples of that stretch into cores of its own (shares.ts), so that
 * blocks of several files, open blocks and late samples come out as after a restart, and writes one file a cluster.
 *
 * Nothing is changed in the checkpoint directory. A job that is killed leaves complete archives, of some of the clusters; done
 * again under the same `from` it adds what is missing, and doubles nothing (write-archive.ts).
 */
import type { Logger } from '../../../base/log.js';
import { keepDamaged } from '../../damaged-files.js';
import type { ArchiveResult } from '../parquet/write-archive.js';
import { loadShares, type ShareOptions, seriesRuns } from './shares.js';
import { ArchiveWriters } from './writers.js';

/** The archives are named after `from`. Crosses to a worker thread. */
export interface ArchiveJob extends Omit<ShareOptions, 'damaged'> {
  /** The archive's directory. */
  target: string;
}

/** Resolves once all archives are complete and synced. Rejects when one can't be written, or a file not be read. */
export async function runArchiveJob(job: ArchiveJob, log: Logger): Promise<ArchiveResult[]> {
  // A damaged file is removed with the others once it is archived: a copy stays.
  const damaged = (path: string): void => keepDamaged(job.root, [path]);
  const writers = new ArchiveWriters(job.target, job.from);
  try {
    for await (const core of loadShares({ ...job, damaged }, log)) {
      for (let number = 0; number < core.series.end; number++) {
        for (const run of seriesRuns(core, number, job.from, job.to)) await writers.push(run);
      }
    }
    return await writers.finish();
  } catch (error) {
    await writers.abandon(error as Error);
    throw error;
  }
}
