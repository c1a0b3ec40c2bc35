/**
 * What a worker does with messages (protocol.ts): the same code runs in a worker thread or, with no workers, behind a
 * channel on the main thread.
 *
 * Writes that wait in the port together are stored together and answered after one log write (group commit).
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Logger, logger } from '../log.js';
import { Answers } from './answers.js';
import { toFailure } from './failure.js';
import { type Batch, Core, type Counts } from './instance.js';
import { Jobs } from './jobs.js';
import { Partition } from './partition.js';
import type {
  CallMessage,
  CallName,
  Calls,
  FromWorker,
  ToWorker,
  WorkerStart,
  WriteMessage,
  Written,
} from './protocol.js';
import type { ClusterSummary, NodeHealth } from './store.js';

/** Text is stored in pieces of about this size, so that the core's staging stays small. */
const TEXT_PIECE = 1 << 20;
/** Series looked at in one step of counting or retention. */
const SERIES_STEP = 2048;
const SYNC_MS = 1000;
const RETRY_MS = 60_000;
const NEWLINE = 0x0a;
/** Seconds. */
const DAY = 86_400;

/** A write that is stored, but not yet safe. */
interface Stored {
  partition: number;
  written: Written;
}

export class Shard {
  readonly #port: MessagePort;
  readonly #partitions = new Map<number, Partition>();
  readonly #jobs = new Jobs();
  readonly #answers: Answers;
  readonly #log: Logger;
  readonly #start: WorkerStart;
  #timer: NodeJS.Timeout | undefined;
  /** The last count of each partition that was asked for. */
  readonly #counting = new Map<Partition, Promise<unknown>>();
  /** Checkpoints run one after the other in a worker. */
  #checkpoints: Promise<void> = Promise.resolve();
  /** Retention passes too: each has its own hosts to spare, and the core marks them for one pass at a time. */
  #retentions: Promise<unknown> = Promise.resolve();

  /** When the size of a log may start a checkpoint again, milliseconds of performance.now. */
  #retryAfter = 0;

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    this.#start = start;
    this.#log = logger(`shard ${start.worker}`);
    this.#answers = new Answers(this.#jobs, (message, transfer) => this.#port.postMessage(message, transfer));
    const metrics = new Map(start.metrics);
    for (const [index, shared] of start.partitions) {
      const { module, partitionCount, worker, store } = start;
      const core = new Core(module, metrics, index, partitionCount, shared);
      this.#partitions.set(index, new Partition(core, worker, store, this.#log));
    }
  }

  /** Loads all partitions, then takes messages. */
  async run(): Promise<void> {
    const { store } = this.#start;
    const since = Date.now() / 1000 - store.retentionSeconds;
    for (const partition of this.#partitions.values()) {
      await partition.load(since);
      // What other layouts left may only be removed once every partition's own files hold it.
      if (partition.needsCheckpoint) await this.#checkpoint(partition);
    }
    this.#port.on('message', (message: ToWorker) => this.#receive(message));
    this.#timer = setInterval(() => this.#tick(), SYNC_MS);
    this.#send({ kind: 'ready' });
  }

  #send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #partition(index: number): Partition {
    const partition = this.#partitions.get(index);
    if (!partition) throw new Error(`BUG: partition ${index} is not of worker ${this.#start.worker}`);
    return partition;
  }

  /** Takes a message and all that wait behind it. */
  #receive(first: ToWorker): void {
    const written: Stored[] = [];
    let message: ToWorker | undefined = first;
    while (message) {
      if (message.kind === 'write') written.push(this.#write(message));
      else this.#dispatch(message);
      message = receiveMessageOnPort(this.#port)?.message as ToWorker | undefined;
    }
    if (written.length) this.#answerWrites(written);
  }

  #write(message: WriteMessage): Stored {
    const { id, body, partition } = message;
    const written: Written = { id, body, stored: 0, skipped: 0 };
    try {
      const batch = this.#store(message);
      written.stored = batch.stored;
      written.skipped = batch.skipped;
      if (batch.refused || batch.outOfMemory || batch.strays.length) written.batch = batch;
    } catch (error) {
      written.failure = toFailure(error);
    }
    return { partition, written };
  }

  /** Stores a body, piece by piece if it is large. */
  #store({ partition: index, body, length, cluster, perSecond }: WriteMessage): Batch {
    const partition = this.#partition(index);
    const now = Math.floor(Date.now() / 1000);
    const text = new Uint8Array(body, 0, length);
    if (length <= TEXT_PIECE) return partition.write(text, cluster, perSecond, now);
    const total: Batch = { lines: 0, stored: 0, skipped: 0, refused: 0, refusals: [], outOfMemory: false, strays: [] };
    for (let at = 0; at < length; ) {
      const end = pieceEnd(text, at);
      const batch = partition.write(text.subarray(at, end), cluster, perSecond, now);
      for (const [line, reason] of batch.refusals) total.refusals.push([total.lines + line, reason]);
      for (const run of batch.strays) {
        total.strays.push({ ...run, offset: at + run.offset, firstLine: total.lines + run.firstLine });
      }
      total.lines += batch.lines;
      total.stored += batch.stored;
      total.skipped += batch.skipped;
      total.refused += batch.refused;
      total.outOfMemory ||= batch.outOfMemory;
      at = end;
    }
    partition.core.releaseStaging();
    return total;
  }

  /** Makes the writes safe, then answers them. */
  #answerWrites(stored: Stored[]): void {
    for (const index of new Set(stored.map(({ partition }) => partition))) {
      const failure = this.#partition(index).flush();
      if (!failure) continue;
      for (const { partition, written } of stored) if (partition === index) written.failure = toFailure(failure);
    }
    const results = stored.map(({ written }) => written);
    this.#send(
      { kind: 'wrote', results },
      results.map(({ body }) => body),
    );
  }

  #dispatch(message: Exclude<ToWorker, WriteMessage>): void {
    switch (message.kind) {
      case 'query':
        this.#answers.query(message, (partition) => this.#partition(partition).core);
        break;
      case 'queryAll':
        this.#answers.queryAll(message, (partition) => this.#partition(partition).core);
        break;
      case 'dump':
        this.#answers.dump(message, this.#partition(message.partition).core);
        break;
      case 'pull':
        this.#answers.pull(message);
        break;
      case 'cancel':
        this.#answers.cancel(message.id);
        break;
      case 'call':
        this.#call(message);
        break;
    }
  }

  #call(message: CallMessage): void {
    const { id } = message;
    Promise.resolve()
      .then(() => this.#perform(this.#partition(message.partition), message.name, message.args))
      .then(
        (result) => this.#send({ kind: 'reply', id, result }),
        (error: unknown) => this.#send({ kind: 'reply', id, failure: toFailure(error) }),
      );
  }

  async #perform(partition: Partition, name: CallName, args: Calls[CallName]['args']): Promise<unknown> {
    switch (name) {
      case 'free':
        return this.#free(partition, args as Calls['free']['args']);
      case 'clusters':
        return partition.core.clusters().map(({ name }) => name);
      case 'summary':
        return this.#summary(partition);
      case 'health':
        return health(partition, args as Calls['health']['args']);
      case 'stats':
        return partition.stats(await this.#count(partition));
      case 'checkpoint':
        await this.#checkpoint(partition);
        return null;
      case 'retain':
        return this.#retain(partition, args as Calls['retain']['args']);
      case 'memory':
        return partition.core.memory.total;
      case 'dropFiles':
        return this.#inTurn(() => partition.dropFiles((args as Calls['dropFiles']['args']).to));
      case 'pinFiles':
        partition.pinFiles();
        return null;
      case 'unpinFiles':
        partition.unpinFiles();
        return null;
      case 'oldest':
        return partition.core.oldestTime() ?? null;
      case 'stop':
        return this.#stop(partition);
    }
  }

  #free(partition: Partition, { to, selectors }: Calls['free']['args']): number {
    partition.openLog();
    partition.touch();
    let freed = 0;
    for (const selector of selectors) {
      const node = partition.core.findNode(selector);
      if (node) freed += partition.core.freeNode(node, to);
    }
    const failure = partition.flush();
    if (failure) throw failure;
    if (freed) partition.freedByHand();
    return freed;
  }

  /** All clusters in one pass: their series lie mixed, so counting them one by one would take clusters x series. */
  #summary(partition: Partition): Promise<ClusterSummary[]> {
    const { core } = partition;
    return this.#inCountTurn(partition, async () => {
      const counts = new Map<number, Counts>();
      let from = 0;
      await this.#jobs.run(() => {
        const end = from + SERIES_STEP;
        while (from >= 0 && from < end) {
          core.countBegin();
          const { next, cluster } = core.countClusterStep(from, end - from);
          if (cluster) counts.set(cluster, addCounts(counts.get(cluster), core.counted));
          from = next;
        }
        return from >= 0;
      });
      return core.clusters().map(({ name, node, hosts }) => ({
        cluster: name,
        hosts,
        ...(counts.get(node) ?? { series: 0, samples: 0, bytes: 0, blocks: {} }),
      }));
    });
  }

  /** Counts series and samples in the background. */
  #count(partition: Partition): Promise<Counts> {
    const { core } = partition;
    return this.#inCountTurn(partition, async () => {
      let from = 0;
      core.countBegin();
      await this.#jobs.run(() => {
        from = core.countStep(from, SERIES_STEP);
        return from >= 0;
      });
      return core.counted;
    });
  }

  /** One count at a time in a partition: the core has one set of counters. */
  #inCountTurn<T>(partition: Partition, count: () => Promise<T>): Promise<T> {
    const done = (this.#counting.get(partition) ?? Promise.resolve()).then(count);
    this.#counting.set(
      partition,
      done.then(
        () => {},
        () => {},
      ),
    );
    return done;
  }

  /** Frees what is old, after the passes that are under way. */
  #retain(partition: Partition, { to, except }: Calls['retain']['args']): Promise<number> {
    const retain = async (): Promise<number> => {
      partition.freedOld(Math.min(to, Date.now() / 1000 + DAY));
      return this.#retainNow(partition.core, to, except);
    };
    const done = this.#retentions.then(() => {
      if (!partition.archives) return retain();
      // What is to be archived must be in a file first; no checkpoint may be half done meanwhile.
      return this.#inTurn(async () => {
        if (await this.#hasUnsaved(partition, to)) await this.#checkpointNow(partition);
        return retain();
      });
    });
    this.#retentions = done.catch(() => {});
    return done;
  }

  /** Whether memory holds blocks that end before `to` and are in no checkpoint. */
  async #hasUnsaved({ core }: Partition, to: number): Promise<boolean> {
    let from = 0;
    let found = false;
    await this.#jobs.run(() => {
      const result = core.unsavedBefore(from, SERIES_STEP, to);
      if (typeof result === 'boolean') found = result;
      else from = result;
      return typeof result === 'number';
    });
    return found;
  }

  async #retainNow(core: Core, to: number, except: Calls['retain']['args']['except']): Promise<number> {
    let from = 0;
    let freed = 0;
    try {
      for (const [cluster, hosts] of except) for (const host of hosts) core.keepHost(cluster, host);
      await this.#jobs.run(() => {
        const step = core.retainStep(from, SERIES_STEP, to);
        freed += step.freed;
        from = step.next;
        return from >= 0;
      });
    } finally {
      core.retainEnd();
    }
    return freed;
  }

  /** Makes a checkpoint of a partition, after those that are under way. */
  #checkpoint(partition: Partition): Promise<void> {
    return this.#inTurn(() => this.#checkpointNow(partition));
  }

  async #checkpointNow(partition: Partition): Promise<void> {
    partition.checkpointBegin();
    await this.#jobs.run(() => partition.checkpointStep());
    await partition.checkpointEnd();
  }

  /** Runs what must not happen during a checkpoint, in order. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#checkpoints.then(task);
    this.#checkpoints = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  #tick(): void {
    for (const partition of this.#partitions.values()) {
      partition.syncLog();
      if (partition.wantsCheckpoint && performance.now() >= this.#retryAfter) this.#checkpointForLog(partition);
    }
  }

  /** Makes one early checkpoint at a time; after a failure (a full disk, say) it waits before it tries again. */
  #checkpointForLog(partition: Partition): void {
    this.#retryAfter = Number.POSITIVE_INFINITY;
    this.#checkpoint(partition).then(
      () => {
        this.#retryAfter = 0;
      },
      (error: unknown) => {
        this.#retryAfter = performance.now() + RETRY_MS;
        this.#log.err('the checkpoint that the size of the log asks for failed; it is tried again in a minute', error);
      },
    );
  }

  async #stop(partition: Partition): Promise<null> {
    clearInterval(this.#timer);
    partition.joinForStop();
    try {
      await this.#checkpoint(partition);
    } finally {
      partition.close();
    }
    return null;
  }
}

/** Where a piece of the text ends: behind the last newline that fits, or behind the next one if a line is longer. */
function pieceEnd(text: Uint8Array, at: number): number {
  if (text.length - at <= TEXT_PIECE) return text.length;
  const last = text.lastIndexOf(NEWLINE, at + TEXT_PIECE - 1);
  if (last >= at) return last + 1;
  const next = text.indexOf(NEWLINE, at);
  return next < 0 ? text.length : next + 1;
}

function health({ core }: Partition, { cluster, nodes, metrics }: Calls['health']['args']): [string, NodeHealth][] {
  const now = Date.now() / 1000;
  return nodes.map((node) => {
    const states = core.nodeHealth(cluster, node, metrics, now);
    if (!states) return [node, { state: 'failed', degraded: [], missing: [], known: false }];
    const degraded = metrics.filter((_, i) => states[i] === 1);
    const missing = metrics.filter((_, i) => states[i] === 2);
    const bad = degraded.length + missing.length;
    const state = bad === 0 ? 'full' : bad === metrics.length ? 'failed' : 'partial';
    return [node, { state, degraded, missing, known: true }];
  });
}

function addCounts(a: Counts | undefined, b: Counts): Counts {
  if (!a) return b;
  const blocks = { ...a.blocks };
  for (const [codec, n] of Object.entries(b.blocks)) blocks[codec] = (blocks[codec] ?? 0) + n;
  return { series: a.series + b.series, samples: a.samples + b.samples, bytes: a.bytes + b.bytes, blocks };
}
