/**
 * Worker. What it does with messages (protocol.ts): the same code runs in a worker thread or, with no workers, behind a
 * channel on the main thread.
 *
 * Writes that wait in the port together are stored together and answered after one log write (group commit).
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Jobs } from '../../base/jobs.js';
import { configureLog, logger } from '../../base/log.js';
import { Patience } from '../../base/patience.js';
import { CheckpointQueue } from '../../partition/checkpointer.js';
import { Partition, type PartitionOptions } from '../../partition/partition.js';
import { Core } from '../../wasm/core.js';
import type { CallName, Calls } from '../client.js';
import { toFailure } from '../failure.js';
import { loadHelped } from '../load/helped.js';
import type { LoadHelp } from '../load/protocol.js';
import type {
  CallMessage,
  FromWorker,
  Opened,
  ToWorker,
  WorkerStart,
  WriteMessage,
  WroteMessage,
} from '../protocol.js';
import { OpenAnswers } from '../query/open-answers.js';

const TICK_MS = 1000;
/** Milliseconds after which a question is the last message to be taken at once: writes wait for an end, and so do timers. */
const TOGETHER_MS = 2;

/** One-shot calls by name. */
const CALLS: {
  [N in CallName]: (partition: Partition, args: Calls[N]['args']) => Calls[N]['result'] | Promise<Calls[N]['result']>;
} = {
  free: (partition, { to, selectors }) => partition.free(to, selectors),
  clusters: (partition) => partition.clusters(),
  contents: (partition) => partition.contents(),
  units: (partition, { metrics }) => partition.units(metrics),
  unconfigured: (partition) => partition.unconfigured,
  summary: (partition) => partition.summary(),
  nodes: (partition, { cluster }) => partition.nodes(cluster),
  levelNames: (partition, { depth }) => partition.levelNames(depth),
  treeChanges: (partition) => partition.treeChanges,
  health: (partition, { cluster, nodes, metrics }) => partition.health(cluster, nodes, metrics),
  stats: (partition) => partition.stats(),
  checkpoint: (partition, { trigger }) => partition.checkpoint(trigger).then(() => null),
  retain: (partition, retention) => partition.retain(retention),
  memory: (partition) => partition.memoryBytes,
  sync: (partition) => {
    partition.sync();
    return null;
  },
  dropFiles: (partition, { to }) => partition.dropFiles(to),
  pinFiles: (partition) => {
    partition.pinFiles();
    return null;
  },
  unpinFiles: (partition) => {
    partition.unpinFiles();
    return null;
  },
  hostClocks: (partition, { withSenders }) => partition.hostClocks(withSenders),
  trustClock: (partition, { isTrusted }) => {
    partition.trustClock(isTrusted);
    return null;
  },
  ages: (partition, { now }) => partition.ages(now),
  oldest: (partition) => partition.oldestTime ?? null,
  savePosition: (partition, { position }) => {
    partition.savePosition(position);
    return null;
  },
  reconfigure: (partition, { log, ...change }) => {
    configureLog(log);
    partition.reconfigure(change);
    return null;
  },
  stop: (partition) => partition.stop().then(() => null),
};

/** A write that is stored, but not yet safe. */
interface Stored {
  partition: number;
  written: WroteMessage['results'][number];
}

export class Shard {
  readonly #port: MessagePort;
  readonly #partitions = new Map<number, Partition>();
  readonly #jobs = new Jobs();
  readonly #patience = new Patience();
  readonly #answers: OpenAnswers;
  readonly #start: WorkerStart;
  /** Empty ones, made while the directory is not ours yet. */
  #cores: readonly Core[];
  readonly #checkpoints = new CheckpointQueue();
  #timer: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    this.#start = start;
    this.#answers = new OpenAnswers(
      new Jobs(this.#patience),
      (partition) => this.#partition(partition).reads,
      (message, transfer) => this.#port.postMessage(message, transfer),
    );
    this.#cores = start.partitions.map((index) => this.#emptyCore(index));
  }

  #emptyCore(partition: number): Core {
    const { module, metrics, partitionCount, tagRules } = this.#start;
    const core = new Core(module, new Map(metrics), partition, partitionCount);
    core.writes.setTags(tagRules);
    return core;
  }

  /** Loads all partitions, with the help of loaders if there are some. Takes messages for those that are loaded from then on, between two files of the others. */
  async run(help?: LoadHelp): Promise<void> {
    const { module, partitionCount } = this.#start;
    this.#port.on('message', (message: ToWorker) => this.#receive(message));
    const cores = new Map(this.#cores.map((core) => [core.index, core]));
    this.#cores = [];
    await loadHelped([...cores.keys()], help, {
      load: async (index) => {
        const core = cores.get(index);
        cores.delete(index);
        if (!core) throw new Error(`BUG: partition ${index} is loaded twice`);
        await this.#load(core);
      },
      adopt: async (index, image, files) => {
        const core = Core.ofImage(module, index, partitionCount, image);
        await this.#loaded(await Partition.open(this.#optionsOf(core), files), index);
      },
      reading: ({ partition, bytes, of }) => this.#send({ kind: 'progress', partition, bytes, of }),
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#send({ kind: 'ready' });
  }

  async #load(core: Core): Promise<Partition> {
    const since = Date.now() / 1000 - this.#start.store.retentionSeconds;
    const onProgress = (bytes: number, of: number): void =>
      this.#send({ kind: 'progress', partition: core.index, bytes, of });
    const partition = await Partition.load(this.#optionsOf(core), since, onProgress);
    await this.#loaded(partition, core.index);
    return partition;
  }

  #optionsOf(core: Core): PartitionOptions {
    const { store: config, worker } = this.#start;
    const checkpoints = this.#checkpoints;
    return { core, worker, config, logger: logger(`shard ${worker}`), jobs: this.#jobs, checkpoints };
  }

  async #loaded(partition: Partition, index: number): Promise<void> {
    // What other layouts left may only be removed once every partition's own files hold it.
    if (partition.needsCheckpoint) await partition.checkpoint('load');
    this.#partitions.set(index, partition);
    this.#send({ kind: 'loaded', partition: index, figures: partition.loadFigures });
  }

  /** Reads one more partition. */
  async #open(index: number): Promise<Opened> {
    const { position } = await this.#load(this.#emptyCore(index));
    return { position };
  }

  /** Writes a partition's files and forgets it. Answers that are under way break off. */
  async #close(index: number): Promise<void> {
    const partition = this.#partition(index);
    this.#partitions.delete(index);
    await partition.stop();
  }

  #send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #partition(index: number): Partition {
    const partition = this.#partitions.get(index);
    if (!partition) throw new Error(`BUG: partition ${index} is not of worker ${this.#start.worker}`);
    return partition;
  }

  /** Takes a message and all that wait behind it: writes as many as there are, questions for a while. */
  #receive(first: ToWorker): void {
    const written: Stored[] = [];
    const until = performance.now() + TOGETHER_MS;
    let spent = 0;
    let message: ToWorker | undefined = first;
    while (message) {
      if (message.kind === 'write') {
        const since = performance.now();
        written.push(this.#write(message));
        spent += performance.now() - since;
      } else this.#dispatch(message);
      // What is left comes with the port's next event.
      if (message.kind !== 'write' && performance.now() > until) break;
      message = receiveMessageOnPort(this.#port)?.message as ToWorker | undefined;
    }
    if (written.length) this.#answerWrites(written, spent);
  }

  #write(message: WriteMessage): Stored {
    const { id, body, length, partition, cluster, perSecond, fields, onlyMissing, trusted } = message;
    const written: Stored['written'] = { id, body, stored: 0, skipped: 0 };
    try {
      const now = message.now ?? Math.floor(Date.now() / 1000);
      const batch = this.#partition(partition).write(
        new Uint8Array(body, 0, length),
        cluster,
        perSecond,
        now,
        fields,
        onlyMissing,
        trusted,
      );
      written.stored = batch.stored;
      written.skipped = batch.skipped;
      if (batch.refused || batch.outOfMemory || batch.strays.length) written.batch = batch;
    } catch (error) {
      written.failure = toFailure(error);
    }
    return { partition, written };
  }

  /** Makes the writes safe, then answers them. @param spent milliseconds that storing them took. */
  #answerWrites(stored: Stored[], spent: number): void {
    const since = performance.now();
    for (const index of new Set(stored.map(({ partition }) => partition))) {
      // One that was never here has failed its writes already.
      const failure = this.#partitions.get(index)?.flush();
      if (!failure) continue;
      for (const { partition, written } of stored) if (partition === index) written.failure = toFailure(failure);
    }
    const results = stored.map(({ written }) => written);
    const took = spent + performance.now() - since;
    this.#patience.wrote(took);
    this.#send(
      { kind: 'wrote', results, took },
      results.map(({ body }) => body),
    );
  }

  #dispatch(message: Exclude<ToWorker, WriteMessage>): void {
    switch (message.kind) {
      case 'ask':
        this.#answers.ask(message);
        break;
      case 'more':
        this.#answers.more(message);
        break;
      case 'leave':
        this.#answers.leave(message.id);
        break;
      case 'call':
        this.#reply(message.id, () => this.#perform(message));
        break;
      case 'open':
        this.#reply(message.id, () => this.#open(message.partition));
        break;
      case 'close':
        this.#reply(message.id, () => this.#close(message.partition));
        break;
    }
  }

  #reply(id: number, perform: () => unknown): void {
    Promise.resolve()
      .then(perform)
      .then(
        (result) => this.#send({ kind: 'reply', id, result }),
        (error: unknown) => this.#send({ kind: 'reply', id, failure: toFailure(error) }),
      );
  }

  #perform<N extends CallName>({ partition, name, args }: CallMessage<N>): unknown {
    if (name === 'stop') clearInterval(this.#timer);
    return CALLS[name](this.#partition(partition), args);
  }

  #tick(): void {
    for (const partition of this.#partitions.values()) partition.tick();
  }
}
