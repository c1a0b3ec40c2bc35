/** Entry of a worker thread: one shard, which loads when the first message says so. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { configureLog, logger } from '../../base/log.js';
import type { FromWorker, LoadMessage, WorkerStart } from '../protocol.js';
import { Shard } from './shard.js';

const { start, port } = workerData as { start: WorkerStart; port: MessagePort };
configureLog(start.log);

const shard = new Shard(port, start);
port.once('message', ({ help }: LoadMessage) => {
  shard.run(help).catch((error: unknown) => {
    logger(`shard ${start.worker}`).debug('loading failed', error);
    const message: FromWorker = { kind: 'fatal', message: error instanceof Error ? error.message : String(error) };
    port.postMessage(message);
  });
});
