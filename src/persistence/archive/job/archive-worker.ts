/** Entry of the thread that archives beside the running server. */
import { parentPort, workerData } from 'node:worker_threads';
import { configureLog, type LogSettings, logger } from '../../../base/log.js';
import { type ArchiveJob, runArchiveJob } from './job.js';

if (!parentPort) throw new Error('archive-worker.js is started by the server, not by hand');
const { job, log } = workerData as { job: ArchiveJob; log: LogSettings };
configureLog(log);
parentPort.postMessage(await runArchiveJob(job, logger('archive')));
