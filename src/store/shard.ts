/**
 * What a worker does with messages (protocol.ts): the same code runs in a worker thread or, with no workers, behind a
 * channel on the main thread.
 *
 * Writes that wait in the port together are stored together and answered after one log write (group commit).
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { logger } from '../log.js';
import { Counting } from '../partition/counting.js';
import { Jobs } from '../partition/jobs.js';
import { Partition } from '../partition/partition.js';
import { Upkeep } from '../partition/upkeep.js';
import { type Batch, Core } from '../wasm/instance.js';
import { toFailure } from './failure.js';
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
import { Answers } from './query/answers.js';
import type { NodeHealth } from './store.js';

/** Text is stored in pieces of about this size, so that the core's staging stays small. */
const TEXT_PIECE = 1 << 20;
const TICK_MS = 1000;
/** Milliseconds after which a question is the last message to be taken at once: writes wait for an end, and so do timers. */
const TOGETHER_MS = 2;
const NEWLINE = 0x0a;

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
  readonly #counting: Counting;
  readonly #upkeep: Upkeep;
  readonly #start: WorkerStart;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    this.#start = start;
    const log = logger(`shard ${start.worker}`);
    this.#counting = new Counting(this.#jobs);
    this.#upkeep = new Upkeep(this.#jobs, log);
    this.#answers = new Answers(this.#jobs, (message, transfer) => this.#port.postMessage(message, transfer));
    const metrics = new Map(start.metrics);
    for (const index of start.partitions) {
      const { module, partitionCount, worker, store } = start;
      const core = new Core(module, metrics, index, partitionCount);
      this.#partitions.set(index, new Partition(core, worker, store, log));
    }
  }

  /** Loads all partitions, then takes messages. */
  async run(): Promise<void> {
    const { store } = this.#start;
    const since = Date.now() / 1000 - store.retentionSeconds;
    for (const partition of this.#partitions.values()) {
      await partition.load(since);
      // What other layouts left may only be removed once every partition's own files hold it.
      if (partition.needsCheckpoint) await this.#upkeep.checkpoint(partition);
    }
    this.#port.on('message', (message: ToWorker) => this.#receive(message));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
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

  /** Takes a message and all that wait behind it: writes as many as there are, questions for a while. */
  #receive(first: ToWorker): void {
    const written: Stored[] = [];
    const until = performance.now() + TOGETHER_MS;
    let message: ToWorker | undefined = first;
    while (message) {
      if (message.kind === 'write') written.push(this.#write(message));
      else this.#dispatch(message);
      // What is left comes with the port's next event.
      if (message.kind !== 'write' && performance.now() > until) break;
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
        return this.#counting.summary(partition.core);
      case 'health':
        return health(partition, args as Calls['health']['args']);
      case 'stats':
        return partition.stats(await this.#counting.count(partition.core));
      case 'checkpoint':
        await this.#upkeep.checkpoint(partition);
        return null;
      case 'retain':
        return this.#upkeep.retain(partition, args as Calls['retain']['args']);
      case 'memory':
        return partition.core.memory.total;
      case 'dropFiles':
        return this.#upkeep.exclusively(() => partition.dropFiles((args as Calls['dropFiles']['args']).to));
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

  #tick(): void {
    for (const partition of this.#partitions.values()) {
      partition.syncLog();
      this.#upkeep.tick(partition);
    }
  }

  async #stop(partition: Partition): Promise<null> {
    clearInterval(this.#timer);
    partition.joinForStop();
    try {
      await this.#upkeep.checkpoint(partition);
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
