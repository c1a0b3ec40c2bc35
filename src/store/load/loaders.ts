/** Main thread. Loaders, for as long as the store loads: cores that have no worker would be idle. */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { directoryBytes, foreignDirectories, partitionDirectories } from '../../persistence/partition-directories.js';
import { Claims } from './claims.js';
import type { LoaderStart, LoadHelp, ThreadStart } from './protocol.js';

/** Bytes of files from which on loaders are worth their start: that costs as much as reading some 60 MB. */
const WORTH_WHILE = 192 << 20;

export interface Loaders {
  /** For each worker, by number; its ports are to be transferred. */
  help: LoadHelp[];
  /** Rejects when a loader fails: what it had taken is loaded by nobody. */
  failed: Promise<never>;
  end(): Promise<void>;
}

/**
 * Starts as many loaders as there are cores and partitions without a worker. @returns undefined: none would help. A directory in
 * another layout is read by all partitions at once, which is the workers' alone.
 */
export function startLoaders(start: ThreadStart, workers: number): Loaders | undefined {
  const { partitionCount, store } = start;
  const count = Math.min(availableParallelism(), partitionCount) - workers;
  const root = store.checkpoints.directory;
  const own = partitionDirectories(root).filter((directory) => directory.count === partitionCount);
  if (count < 1 || own.length < partitionCount || foreignDirectories(root, partitionCount).length) return undefined;
  if (own.reduce((bytes, { path }) => bytes + directoryBytes(path), 0) < WORTH_WHILE) return undefined;
  const claims = Claims.of(partitionCount).shared;
  const help = Array.from({ length: workers }, (): LoadHelp => ({ claims, ports: [] }));
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const threads = Array.from({ length: count }, (_, i) => {
    const ports = help.map((each): MessagePort => {
      const { port1, port2 } = new MessageChannel();
      each.ports.push(port2);
      return port1;
    });
    const thread = new Worker(new URL('./loader.js', import.meta.url), {
      workerData: { ...start, claims, ports } satisfies LoaderStart,
      transferList: ports,
      name: `loader-${i}`,
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
    });
    thread.on('error', (error) => fail(new Error(`a loader died: ${error.message}`, { cause: error })));
    return thread;
  });
  return { help, failed, end: async () => void (await Promise.all(threads.map((thread) => thread.terminate()))) };
}
