/** Main thread. A shard at the other end of a port: in a worker thread, or on this very thread. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { LoadHelp } from '../load/protocol.js';
import type { FromWorker, LoadMessage, ToWorker, WorkerStart } from '../protocol.js';

export interface ShardLink {
  /** Has the shard read its partitions. To be called once, before anything else is posted. @param help its ports are taken over. */
  load(help?: LoadHelp): Promise<void>;
  post(message: ToWorker, transfer?: ArrayBuffer[]): void;
  end(): Promise<void>;
}

/** Who is told what a shard sends. */
export interface ShardListener {
  receive(message: FromWorker): void;
  /** The shard is gone without `end`; told once. */
  died(error: Error): void;
}

/** Starts a worker thread, which reads its code at once and its partitions at `load`. `load` rejects when it dies. */
export function threadShard(start: WorkerStart, { receive, died }: ShardListener): ShardLink {
  const { port1: port, port2 } = new MessageChannel();
  const thread = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { start, port: port2 },
    transferList: [port2],
    name: `shard-${start.worker}`,
    // Samples live in linear memory; what is left for V8 are messages and figures.
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 },
  });
  let ending = false;
  let gone: Error | undefined;
  let loading: { resolve(): void; reject(error: Error): void } | undefined;
  const end = (error: Error): void => {
    if (ending || gone) return;
    gone = error;
    loading?.reject(error);
    died(error);
  };
  port.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') loading?.resolve();
    else if (message.kind === 'fatal') loading?.reject(new Error(message.message));
    else receive(message);
  });
  thread.on('error', (error: Error) =>
    end(new Error(`shard worker ${start.worker} died: ${error.message}`, { cause: error })),
  );
  thread.on('exit', (code) => end(new Error(`shard worker ${start.worker} ended with code ${code}`)));
  // A start that fails before there is anything to load must not be kept from ending.
  port.unref();
  thread.unref();
  return {
    load: (help) =>
      new Promise((resolve, reject) => {
        loading = { resolve, reject };
        if (gone) return reject(gone);
        thread.ref();
        port.postMessage({ kind: 'load', ...(help && { help }) } satisfies LoadMessage, help?.ports);
      }),
    post: (message, transfer) => port.postMessage(message, transfer),
    end: async () => {
      ending = true;
      await thread.terminate();
    },
  };
}

/** A shard on this thread, behind a channel so that it sees the same messages. */
export function inlineShard(start: WorkerStart, { receive }: ShardListener): ShardLink {
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
