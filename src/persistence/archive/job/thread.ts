import { Worker } from 'node:worker_threads';
import { logSettings } from '../../../base/log.js';
import type { ArchiveResult } from '../parquet/write-archive.js';
import type { ArchiveJob } from './job.js';

/** Runs the job in a thread of its own, so that neither requests nor writes wait for it. */
export function archiveInThread(job: ArchiveJob): Promise<ArchiveResult[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./archive-worker.js', import.meta.url), {
      workerData: { job, log: logSettings() },
      name: 'archive',
    });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the archive's thread ended with code ${code}`)));
  });
}
