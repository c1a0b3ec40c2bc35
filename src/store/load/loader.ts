/**
 * Entry of a loader: a thread that reads partitions while their workers read others, and hands each over as the image of its
 * core's memory. To copy that is a fraction of the work. It begins with the last partition, workers with the first.
 */
import { freemem } from 'node:os';
import { workerData } from 'node:worker_threads';
import { configureLog, logger } from '../../base/log.js';
import { readPartition } from '../../partition/load-partition.js';
import { directoryBytes, partitionDirectory } from '../../persistence/partition-directories.js';
import { Core } from '../../wasm/core.js';
import { Claims } from './claims.js';
import type { LoaderStart, ReadingMessage, ReadMessage } from './protocol.js';

/** An image is there three times for a moment, and is about as large as the files at most. */
const ROOM = 3;

const { module, partitionCount, metrics, tagRules, store, log, claims, ports } = workerData as LoaderStart;
configureLog(log);

/** Bytes. Node 20.0 to 20.12 know nothing of control groups. */
function availableMemory(): number {
  return 'availableMemory' in process ? process.availableMemory() : freemem();
}

/** Whether there is memory for a partition's images. What lies in other layouts is the worker's: how large it is is not known. */
function isWorthWhile(partition: number): boolean {
  const directory = partitionDirectory(store.checkpoints.directory, partition, partitionCount);
  return ROOM * directoryBytes(directory) < availableMemory();
}

const taken = new Claims(claims);
const since = Date.now() / 1000 - store.retentionSeconds;
for (let partition = partitionCount - 1; partition >= 0; partition--) {
  if (!isWorthWhile(partition) || !taken.take(partition)) continue;
  const port = ports[partition % ports.length];
  const core = new Core(module, new Map(metrics), partition, partitionCount);
  core.writes.setTags(tagRules);
  const files = await readPartition(core, store, since, logger('loader'), (bytes, of) =>
    port?.postMessage({ kind: 'reading', partition, bytes, of } satisfies ReadingMessage),
  );
  logger('loader').debug(`partition ${partition} is read`);
  const image = core.image().buffer;
  port?.postMessage({ kind: 'read', partition, image, files } satisfies ReadMessage, [image]);
}
