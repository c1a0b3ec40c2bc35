/** The pool's end of a shard: in a worker thread, or on this very thread behind the same messages (protocol.ts). */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { FromWorker, LoadMessage, ToWorker, WorkerStart } from './protocol.js';

export interface ShardLink {
  /** Reads the shard's partitions; rejects when that is impossible. To be called once, before anything is posted. */
  load(): Promise<void>;
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  end(): Promise<void>;
}

/**
 * Starts a worker thread, which reads its code at once and its partitions at `load`.
 * @param died told once when the thread is gone without `end`; `load` rejects as well.
 */
export function threadShard(
  start: WorkerStart,
  receive: (message: FromWorker) => void,
  died: (error: Error) => void,
): ShardLink {
  const thread = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: start,
    name: `shard-${start.worker}`,
    // Samples live in linear memory; what is left for V8 are messages and figures.
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
  });
  // A start that fails before there is anything to load must not be kept from ending.
  thread.unref();
  let ending = false;
  let gone: Error | undefined;
  let loading: { resolve(): void; reject(error: Error): void } | undefined;
  const end = (error: Error): void => {
    if (ending || gone) return;
    gone = error;
    loading?.reject(error);
    died(error);
  };
  thread.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') loading?.resolve();
    else if (message.kind === 'fatal') loading?.reject(new Error(message.message));
    else receive(message);
  });
  thread.on('error', (error: Error) =>
    end(new Error(`shard worker ${start.worker} died: ${error.message}`, { cause: error })),
  );
  thread.on('exit', (code) => end(new Error(`shard worker ${start.worker} ended with code ${code}`)));
  return {
    load: () =>
      new Promise((resolve, reject) => {
        loading = { resolve, reject };
        if (gone) return reject(gone);
        thread.ref();
        thread.postMessage({ kind: 'load' } satisfies LoadMessage);
      }),
    post: (message, transfer) => thread.postMessage(message, transfer),
    end: async () => {
      ending = true;
      await thread.terminate();
    },
  };
}

/** A shard on this thread, behind a channel so that it sees the same messages. */
export function inlineShard(start: WorkerStart, receive: (message: FromWorker) => void): ShardLink {
  const { port1, port2 }: { port1: MessagePort; port2: MessagePort } = new MessageChannel();
  return {
    load: async () => {
      // Only here: with threads this one needs none of a shard's code.
      const { Shard } = await import('./shard.js');
      port1.on('message', receive);
      await new Shard(port2, start).run();
    },
    post: (message, transfer) => port1.postMessage(message, transfer),
    end: async () => port1.close(),
  };
}
