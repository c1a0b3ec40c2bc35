/**
 * The store as the rest of the program sees it: partitions in worker threads. Routes writes and queries and limits what is
 * in flight.
 *
 * A worker that dies takes the process down: half a store would answer queries with half of the data.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import { type Logger, logSettings } from '../log.js';
import { Ages } from '../partition/age-histogram.js';
import type { Trigger } from '../partition/checkpointer.js';
import { ContentsSum } from '../partition/contents.js';
import { Router } from '../wasm/router.js';
import { Buffers } from './buffers.js';
import { fromFailure } from './failure.js';
import type { CallName, Calls, FromWorker, ToWorker, WorkerStart, Written } from './protocol.js';
import { answerDump } from './query/dump-answer.js';
import { answerQuery, type QuerySource } from './query/query-answer.js';
import { Questions } from './query/questions.js';
import { cut, joinOutcomes, type Part, splitBody } from './routing.js';
import { inlineShard, type ShardLink, threadShard } from './shard-link.js';
import {
  type Answer,
  type ClusterSummary,
  type MetricContents,
  type NodeHealth,
  type NodeSpan,
  type PartitionStats,
  type Precision,
  type QueryRequest,
  type Store,
  StoreError,
  type WriteOutcome,
} from './store.js';

/** Bytes of bodies that may be on their way to workers at once, or two of the largest allowed. */
const MAX_IN_FLIGHT = 128 << 20;
const UNITS_PER_SECOND: Record<Precision, number> = { auto: 0, s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface PoolOptions {
  config: Config;
  log: Logger;
  /** Path of core.wasm. */
  modulePath: string | URL;
  /** Told when a worker died: the process must end. */
  onFatal(error: Error): void;
}

export class Pool implements Store {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #onFatal: (error: Error) => void;
  readonly #module: WebAssembly.Module;
  readonly #buffers = new Buffers();
  readonly #partitions: number;
  readonly #workers: number;
  #shards: readonly ShardLink[] = [];
  readonly #maxInFlight: number;
  readonly #writes = new Map<number, (result: Written) => void>();
  readonly #calls = new Map<number, Pending>();
  readonly #questions: Questions;
  /** Finds out where lines belong; stores nothing. Undefined: there is one partition only. */
  readonly #router: Router | undefined;
  #state: Store['state'] = 'loading';
  #nextId = 1;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor({ config, log, modulePath, onFatal }: PoolOptions) {
    this.#config = config;
    this.#log = log;
    this.#onFatal = onFatal;
    this.#module = new WebAssembly.Module(readFileSync(modulePath));
    this.#partitions = partitionCount(config.store);
    this.#maxInFlight = Math.max(MAX_IN_FLIGHT, 2 * config.store.maxBodySize);
    if (this.#partitions > 1) this.#router = Router.of(this.#module);
    this.#workers = Math.max(1, config.store.numWorkers);
    this.#questions = new Questions({
      partitions: this.#partitions,
      buffers: this.#buffers,
      workerOf: (partition) => this.#workerOf(partition),
      post: (worker, message, transfer = []) => this.#shards[worker]?.post(message, transfer),
    });
  }

  get state(): Store['state'] {
    return this.#state;
  }

  /** Starts the worker threads, which read their code and wait. Worth while when there is something to do before `start`. */
  prepare(): void {
    if (this.#shards.length) return;
    this.#shards = Array.from({ length: this.#workers }, (_, worker) => this.#makeShard(worker));
  }

  /**
   * Has the workers load, which the directory must be locked for; resolves once all partitions are loaded.
   * @param beforeReady runs between that and the first write: what is done about files must not miss what comes in.
   */
  async start(beforeReady: () => Promise<void> = async () => {}): Promise<void> {
    this.prepare();
    await Promise.all(this.#shards.map((shard) => shard.load()));
    await beforeReady();
    if (this.#state === 'loading') this.#state = 'ready';
  }

  #makeShard(worker: number): ShardLink {
    const all = Array.from({ length: this.#partitions }, (_, partition) => partition);
    const partitions = all.filter((partition) => this.#workerOf(partition) === worker);
    const start: WorkerStart = {
      module: this.#module,
      worker,
      partitions,
      partitionCount: this.#partitions,
      metrics: [...this.#config.metrics],
      store: this.#config.store,
      log: logSettings(),
    };
    const receive = (message: FromWorker): void => this.#receive(message);
    if (this.#config.store.numWorkers === 0) return inlineShard(start, receive);
    return threadShard(start, receive, (error) => this.#fail(error));
  }

  /** A worker is gone: nothing that waits for it will be answered. */
  #fail(error: Error): void {
    for (const call of this.#calls.values()) call.reject(error);
    this.#questions.fail(error);
    this.#onFatal(error);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'wrote':
        for (const result of message.results) {
          // With strays the body is still needed.
          if (!result.batch?.strays.length) this.#buffers.give(result.body);
          const done = this.#writes.get(result.id);
          this.#writes.delete(result.id);
          done?.(result);
        }
        break;
      case 'pieces':
        this.#questions.receive(message);
        break;
      case 'reply': {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        if (message.failure) call?.reject(fromFailure(message.failure));
        else call?.resolve(message.result);
        break;
      }
    }
  }

  #post(partition: number, message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#shards[this.#workerOf(partition)]?.post(message, transfer);
  }

  #workerOf(partition: number): number {
    return partition % this.#workers;
  }

  #assertReady(): void {
    if (this.#state === 'loading') throw new StoreError('LOADING', 'checkpoints are still being read');
    if (this.#state === 'stopping') throw new StoreError('STOPPING', 'the server is stopping');
  }

  takeBuffer(bytes: number): ArrayBuffer {
    return this.#buffers.take(bytes);
  }

  recycle(part: Uint8Array): void {
    this.#buffers.recycle(part);
  }

  async write(body: ArrayBuffer, length: number, cluster: string, precision: Precision): Promise<WriteOutcome> {
    this.#assertReady();
    if (this.#inFlight + length > this.#maxInFlight) {
      this.#buffers.give(body);
      throw new StoreError(
        'OVERLOADED',
        `${this.#inFlight} bytes of writes are in flight already; nothing of this one was stored`,
      );
    }
    if (length === 0) return { stored: 0, skipped: 0, refused: 0, refusals: [] };
    this.#inFlight += length;
    try {
      const perSecond = UNITS_PER_SECOND[precision];
      const parts = splitBody(this.#router, body, length, cluster, this.#partitions, this.#buffers);
      const write = ({ partition, body: lines, length: bytes }: Part): Promise<Written> =>
        this.#writePart(partition, lines, bytes, cluster, perSecond);
      const written = await Promise.all(parts.map(write));
      const strays = this.#cutStrays(written, length);
      if (strays.length) {
        parts.push(...strays);
        written.push(...(await Promise.all(strays.map(write))));
      }
      return joinOutcomes(parts, written);
    } finally {
      this.#inFlight -= length;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** What a whole body held for other partitions, as parts; its buffer is given back. */
  #cutStrays(written: Written[], length: number): Part[] {
    return written.flatMap(({ batch, body }) => {
      if (!batch?.strays.length) return [];
      const parts = cut(new Uint8Array(body, 0, length), batch.strays, this.#buffers);
      this.#buffers.give(body);
      return parts;
    });
  }

  #writePart(
    partition: number,
    body: ArrayBuffer,
    length: number,
    cluster: string,
    perSecond: number,
  ): Promise<Written> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#writes.set(id, resolve);
      this.#post(partition, { kind: 'write', id, partition, body, length, cluster, perSecond }, [body]);
    });
  }

  #call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve: resolve as Pending['resolve'], reject });
      this.#post(partition, { kind: 'call', id, partition, name, args });
    });
  }

  /** The call, in every partition. */
  #everywhere<N extends CallName>(name: N, args: Calls[N]['args']): Promise<Calls[N]['result'][]> {
    return Promise.all(Array.from({ length: this.#partitions }, (_, partition) => this.#call(partition, name, args)));
  }

  #partitionOf(cluster: string, host: string): number {
    return this.#router?.partitionOf(cluster, host, this.#partitions) ?? 0;
  }

  async query(request: QueryRequest): Promise<Answer> {
    this.#assertReady();
    const source: QuerySource = {
      partitionOf: (host) => this.#partitionOf(request.cluster, host),
      open: (parts) => this.#questions.ask(parts),
      openAll: (bytes) => this.#questions.askAll(bytes),
      buffers: this.#buffers,
    };
    return answerQuery(request, source);
  }

  async free(to: number, selectors: string[][]): Promise<number> {
    this.#assertReady();
    const freed = await this.#everywhere('free', { to, selectors });
    return freed.reduce((a, b) => a + b, 0);
  }

  async debug(selector: string[]): Promise<AsyncIterable<Uint8Array>> {
    this.#assertReady();
    return started(
      answerDump(selector, {
        partitions: Array.from({ length: this.#partitions }, (_, i) => i),
        partitionOf: (cluster, host) => this.#partitionOf(cluster, host),
        open: (partition, below) => this.#questions.dump(partition, below),
        clusters: () => this.clusters(),
      }),
    );
  }

  async clusters(): Promise<string[]> {
    return [...new Set((await this.#everywhere('clusters', {})).flat())].sort();
  }

  async contents(): Promise<MetricContents[]> {
    const sum = new ContentsSum();
    for (const part of (await this.#everywhere('contents', {})).flat()) sum.add(part);
    const names = [...this.#config.metrics.keys()];
    return sum.all().map((part) => ({ ...part, metric: names[part.metric] ?? '' }));
  }

  async summary(): Promise<ClusterSummary[]> {
    const merged = new Map<string, ClusterSummary>();
    for (const part of (await this.#everywhere('summary', {})).flat()) {
      const sum = merged.get(part.cluster);
      if (!sum) {
        merged.set(part.cluster, { ...part, blocks: { ...part.blocks } });
        continue;
      }
      sum.hosts += part.hosts;
      sum.series += part.series;
      sum.samples += part.samples;
      sum.bytes += part.bytes;
      for (const [codec, n] of Object.entries(part.blocks)) sum.blocks[codec] = (sum.blocks[codec] ?? 0) + n;
    }
    return [...merged.values()].sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
  }

  async nodes(cluster: string): Promise<NodeSpan[]> {
    const parts = await this.#everywhere('nodes', { cluster });
    return parts.flat().sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async health(cluster: string, nodes: string[], metrics: string[]): Promise<Map<string, NodeHealth>> {
    this.#assertReady();
    const byPartition = new Map<number, string[]>();
    for (const node of nodes) {
      const partition = this.#partitionOf(cluster, node);
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), node]);
    }
    const parts = await Promise.all(
      [...byPartition].map(([partition, some]) => this.#call(partition, 'health', { cluster, nodes: some, metrics })),
    );
    const found = new Map(parts.flat());
    const ordered = new Map<string, NodeHealth>();
    for (const node of nodes) {
      const health = found.get(node);
      if (health) ordered.set(node, health);
    }
    return ordered;
  }

  stats(): Promise<PartitionStats[]> {
    return this.#everywhere('stats', {});
  }

  async checkpoint(trigger: Trigger): Promise<void> {
    await this.#everywhere('checkpoint', { trigger });
  }

  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    const kept = [...except].map(([cluster, hosts]): [string, string[]] => [cluster, [...hosts]]);
    const freed = await this.#everywhere('retain', { to, except: kept });
    return freed.reduce((a, b) => a + b, 0);
  }

  /** Bytes in use in linear memory, one figure a partition. */
  memoryByPartition(): Promise<number[]> {
    return this.#everywhere('memory', {});
  }

  /** Keeps all checkpoint files where they are, while somebody reads them, until `unpinFiles`. */
  async pinFiles(): Promise<void> {
    await this.#everywhere('pinFiles', {});
  }

  async unpinFiles(): Promise<void> {
    await this.#everywhere('unpinFiles', {});
  }

  /** Removes checkpoint files whose samples all end before `to`. */
  async dropFiles(to: number): Promise<number> {
    return (await this.#everywhere('dropFiles', { to })).reduce((a, b) => a + b, 0);
  }

  /**
   * Until when (unix seconds) all blocks must go to give back so many bytes in all, and in each partition; undefined: there
   * is no block. @param bytesOf one figure a partition. @param now unix seconds: the finest steps are around it.
   */
  async timeToFree(bytes: number, bytesOf: number[], now: number): Promise<number | undefined> {
    const parts = await this.#everywhere('ages', { now });
    const times = parts.map((part, i) => new Ages(now, [part]).timeFor(bytesOf[i] ?? 0));
    const known = [...times, new Ages(now, parts).timeFor(bytes)].filter((time) => time !== undefined);
    return known.length ? Math.max(...known) : undefined;
  }

  /** Unix seconds of the oldest block of all; undefined: the store is empty. */
  async oldestTime(): Promise<number | undefined> {
    const times = (await this.#everywhere('oldest', {})).filter((t) => t !== null);
    return times.length ? Math.min(...times) : undefined;
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'stopping';
    if (this.#inFlight) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    if (wasReady) await this.#everywhere('stop', {});
    await Promise.all(this.#shards.map((shard) => shard.end()));
    this.#log.debug('all partitions are written and closed');
  }
}

/** Pulls the first piece, so that an error of the whole request rejects before anything was answered. */
async function started(pieces: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await pieces.next();
  return (async function* (): AsyncGenerator<Uint8Array> {
    try {
      if (first.done) return;
      yield first.value;
      yield* pieces;
    } finally {
      await pieces.return(undefined);
    }
  })();
}
