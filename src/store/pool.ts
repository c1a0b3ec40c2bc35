/**
 * The store as the rest of the program sees it, with all partitions in this process: worker threads have them, or with no
 * workers this thread.
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
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { Reconfiguration } from '../partition/partition.js';
import { CHECKS_ONLY } from '../wasm/codes.js';
import { Core } from '../wasm/core.js';
import type { LeafAnswerPart, LeafRequest } from '../wasm/leaf.js';
import { Buffers } from './buffers.js';
import type { CallName, Calls } from './client.js';
import { EarlyWrites } from './early-writes.js';
import { startLoaders } from './load/loaders.js';
import type { ThreadStart } from './load/protocol.js';
import { Loading } from './loading.js';
import { LocalClient } from './local-client.js';
import { type EarlyFigures, mergeSummaries, mergeUnconfigured, sum, withEarly } from './merge.js';
import { Placement, partitionsOf } from './placement.js';
import { AnswerBudget } from './query/budget.js';
import { columnsOf } from './query/columns.js';
import { dump } from './query/dump.js';
import { gather } from './query/gather.js';
import { askLeaf } from './query/leaf.js';
import { ask, plan } from './query/scatter.js';
import { HostRouter } from './routing.js';
import { inlineShard, threadShard } from './shard-link.js';
import {
  type Answer,
  type AnswerColumn,
  type ClusterSummary,
  type MetricContents,
  type NodeHealth,
  type NodeSpan,
  type PartitionStats,
  type Precision,
  type QueryRequest,
  type Store,
  StoreError,
  type UnconfiguredMetrics,
  type WriteOptions,
  type WriteOutcome,
} from './store.js';
import { Writes } from './writes.js';

const UNITS_PER_SECOND: Record<Precision, number> = { auto: 0, s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

export interface PoolOptions {
  config: Config;
  log: Logger;
  /** Path of core.wasm. */
  modulePath: string | URL;
  /** Told when a worker died: the process must end. */
  onFatal(error: Error): void;
}

export class Pool implements Store {
  readonly #options: PoolOptions;
  readonly #module: WebAssembly.Module;
  readonly #buffers = new Buffers();
  readonly #budget = new AnswerBudget();
  readonly #router: HostRouter;
  readonly #writes: Writes;
  readonly #loading: Loading;
  /** Keeps what is written until all is loaded. */
  #early: EarlyWrites | undefined;
  /** Of what was written before all was loaded. */
  #notKept: EarlyFigures | undefined;
  #clients: readonly LocalClient[] = [];
  #placement: Placement;
  #state: Store['state'] = 'loading';

  constructor(options: PoolOptions) {
    const { config, modulePath } = options;
    this.#options = options;
    this.#module = new WebAssembly.Module(readFileSync(modulePath));
    this.#router = new HostRouter(this.#module, partitionCount(config.store), this.#buffers);
    this.#writes = new Writes(this.#router, config.store.maxBodySize);
    this.#placement = new Placement(this.#router, []);
    this.#loading = new Loading(this.#router.partitions);
    this.#early = new EarlyWrites({
      module: this.#module,
      metrics: config.metrics,
      tagRules: config.tagRules,
      partitions: this.#router.partitions,
      config: config.store,
      buffers: this.#buffers,
      log: options.log,
    });
  }

  get state(): Store['state'] {
    return this.#state;
  }

  get secondsToReady(): number {
    return this.#state === 'ready' ? 0 : this.#loading.secondsLeft;
  }

  /** Starts the worker threads, which read their code and wait. Worth while when there is something to do before `start`. */
  prepare(): void {
    if (this.#clients.length) return;
    const workers = Math.max(1, this.#options.config.store.numWorkers);
    this.#clients = Array.from({ length: workers }, (_, worker) => this.#client(worker, workers));
    this.#placement = new Placement(this.#router, this.#clients);
  }

  /** What every thread is started with. */
  #startOfAll(): ThreadStart {
    const { metrics, tagRules, store } = this.#options.config;
    const partitionCount = this.#router.partitions;
    return { module: this.#module, partitionCount, metrics: [...metrics], tagRules, store, log: logSettings() };
  }

  #client(worker: number, workers: number): LocalClient {
    const { config, onFatal } = this.#options;
    const partitions = partitionsOf(worker, workers, this.#router.partitions);
    const start = { ...this.#startOfAll(), worker, partitions };
    const link = config.store.numWorkers === 0 ? inlineShard : threadShard;
    return new LocalClient((listener) => link(start, listener), {
      buffers: this.#buffers,
      budget: this.#budget,
      loading: this.#loading,
      onFatal,
    });
  }

  /**
   * Has the workers load, which the directory must be locked for; resolves once all partitions are loaded and hold what was
   * written meanwhile. @param beforeReady runs after the load and before the first write. It may remove files of other layouts.
   */
  async start(beforeReady: () => Promise<void> = async () => {}): Promise<void> {
    this.prepare();
    this.#early?.open();
    await this.#load();
    await beforeReady();
    const early = await this.#early?.apply((lines) => this.#writes.store(this.#placement, lines));
    if (this.#state !== 'loading') return;
    this.#state = 'ready';
    this.#notKept = this.#early?.figures;
    this.#early = undefined;
    await this.#reportLoad(early ?? 0);
  }

  /** On all cores, also those that will have no worker. */
  async #load(): Promise<void> {
    const { config } = this.#options;
    const { numWorkers } = config.store;
    const loaders = numWorkers ? startLoaders(this.#startOfAll(), numWorkers) : undefined;
    try {
      const loads = Promise.all(this.#clients.map((client, i) => client.load(loaders?.help[i])));
      await (loaders ? Promise.race([loads, loaders.failed]) : loads);
    } finally {
      await loaders?.end();
    }
  }

  /** @param early lines that were written during the load. */
  async #reportLoad(early: number): Promise<void> {
    const { files, bytes } = this.#loading.figures;
    const { seconds } = this.#loading;
    const stats = await this.stats();
    const samples = sum(stats.map((part) => part.samples));
    const series = sum(stats.map((part) => part.series));
    this.#options.log.info(
      `loaded ${files} files, ${(bytes / 1e6).toFixed(1)} MB: ${samples} samples of ${series} series in ${seconds.toFixed(2)} s` +
        `${early ? `; ${early} more lines came meanwhile` : ''}`,
    );
  }

  #assertRunning(): void {
    if (this.#state === 'stopping') throw new StoreError('STOPPING', 'the server is stopping');
  }

  #assertReady(): void {
    this.#assertRunning();
    if (this.#state === 'loading') throw this.#loading.error();
  }

  /** Partitions whose log could not be written the last time: their writes are refused until the disk takes them again. */
  get withoutLog(): number[] {
    return this.#writes.withoutLog;
  }

  /** A core without hosts, to check frames of files with. */
  checker(): Core {
    return new Core(this.#module, new Map(), CHECKS_ONLY, this.#router.partitions);
  }

  /** What the start has not found although other files name it, a line each. */
  get missing(): string[] {
    return this.#loading.missing;
  }

  takeBuffer(bytes: number): ArrayBuffer {
    return this.#buffers.take(bytes);
  }

  async write(
    body: ArrayBuffer,
    length: number,
    cluster: string,
    precision: Precision,
    options: WriteOptions = {},
  ): Promise<WriteOutcome> {
    this.#assertRunning();
    if (length === 0) return { stored: 0, skipped: 0, refused: 0, refusals: [] };
    if (!this.#writes.tryEnter(length)) {
      try {
        await this.#writes.enter(length);
      } catch (error) {
        this.#buffers.give(body);
        throw error;
      }
    }
    try {
      const lines = {
        body,
        length,
        cluster,
        perSecond: UNITS_PER_SECOND[precision],
        fields: 'value' as const,
        ...options,
      };
      const early = this.#early && (await this.#early.take(lines));
      return early ?? (await this.#writes.store(this.#placement, lines));
    } finally {
      this.#writes.release(length);
    }
  }

  async query(request: QueryRequest): Promise<Answer> {
    this.#assertRunning();
    const { questions, order } = plan(request, this.#placement, 'query');
    if (this.#state === 'loading') this.#loading.assertLoaded(questions.map(({ partition }) => partition));
    return gather(order, await ask(questions, this.#placement));
  }

  async columns(request: QueryRequest): Promise<AsyncIterable<AnswerColumn[]>> {
    this.#assertReady();
    const { questions, order } = plan(request, this.#placement, 'columns');
    return columnsOf(request, order, await ask(questions, this.#placement));
  }

  async debug(selector: string[]): Promise<Answer> {
    this.#assertReady();
    return dump(selector, this.#placement, () => this.clusters());
  }

  #call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    return this.#placement.clientOf(partition).call(partition, name, args);
  }

  /** The call, in every partition. */
  #everywhere<N extends CallName>(name: N, args: Calls[N]['args']): Promise<Calls[N]['result'][]> {
    return Promise.all(this.#placement.partitions.map((partition) => this.#call(partition, name, args)));
  }

  /** The configuration was read again; the log's settings go to the workers as well. @throws StoreError OUT_OF_MEMORY. */
  async reconfigure(change: Reconfiguration): Promise<void> {
    await this.#everywhere('reconfigure', { ...change, log: logSettings() });
  }

  async free(to: number, selectors: string[][]): Promise<number> {
    this.#assertReady();
    return sum(await this.#everywhere('free', { to, selectors }));
  }

  async clusters(): Promise<string[]> {
    return [...new Set((await this.#everywhere('clusters', {})).flat())].sort();
  }

  async leaf(request: LeafRequest, signal?: AbortSignal): Promise<LeafAnswerPart[]> {
    this.#assertReady();
    return askLeaf(this.#placement, request, signal);
  }

  async levelNames(depth: number): Promise<string[]> {
    this.#assertReady();
    const parts = await this.#everywhere('levelNames', { depth });
    return [...new Set(parts.flatMap(({ names }) => names))];
  }

  async treeChanges(): Promise<number> {
    this.#assertReady();
    return sum(await this.#everywhere('treeChanges', {}));
  }

  async contents(): Promise<MetricContents[]> {
    const contents = new ContentsSum();
    for (const part of (await this.#everywhere('contents', {})).flat()) contents.add(part);
    const names = [...this.#options.config.metrics.keys()];
    return contents.all().map((part) => ({ ...part, metric: names[part.metric] ?? '' }));
  }

  async units(): Promise<Map<string, string>> {
    this.#assertReady();
    const metrics = [...this.#options.config.metrics.keys()];
    // The first partition that knows one counts.
    return new Map((await this.#everywhere('units', { metrics })).flat().reverse());
  }

  async unconfigured(): Promise<UnconfiguredMetrics> {
    const { metrics, forgotten } = mergeUnconfigured(await this.#everywhere('unconfigured', {}));
    return { metrics: metrics.filter(({ metric }) => !this.#options.config.metrics.has(metric)), forgotten };
  }

  async summary(): Promise<ClusterSummary[]> {
    return mergeSummaries((await this.#everywhere('summary', {})).flat());
  }

  async nodes(cluster: string): Promise<NodeSpan[]> {
    const parts = await this.#everywhere('nodes', { cluster });
    return parts.flat().sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async health(cluster: string, nodes: string[], metrics: string[]): Promise<Map<string, NodeHealth>> {
    this.#assertReady();
    const byPartition = new Map<number, string[]>();
    for (const node of nodes) {
      const partition = this.#placement.partitionOf(cluster, node);
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

  /** Of the partitions that are loaded. */
  async stats(): Promise<PartitionStats[]> {
    const loaded = this.#placement.partitions.filter((partition) => this.#loading.isLoaded(partition));
    const parts = await Promise.all(loaded.map((partition) => this.#call(partition, 'stats', {})));
    return this.#notKept ? withEarly(parts, this.#notKept) : parts;
  }

  async checkpoint(trigger: Trigger): Promise<void> {
    await this.#everywhere('checkpoint', { trigger });
  }

  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    const kept = [...except].map(([cluster, hosts]): [string, string[]] => [cluster, [...hosts]]);
    return sum(await this.#everywhere('retain', { to, except: kept }));
  }

  /** Hosts that are ahead of this server's clock, of those that send (`HostClocks.count`). */
  async hostClocks(withSenders: boolean): Promise<HostClockCounts> {
    const parts = await this.#everywhere('hostClocks', { withSenders });
    return parts.reduce((a, b) => ({ ahead: a.ahead + b.ahead, senders: a.senders + b.senders }));
  }

  /** Whether samples are refused for their time. */
  async trustClock(isTrusted: boolean): Promise<void> {
    await this.#everywhere('trustClock', { isTrusted });
  }

  /** Bytes in use in linear memory, one figure a partition. */
  memoryByPartition(): Promise<number[]> {
    return this.#everywhere('memory', {});
  }

  async sync(): Promise<void> {
    await this.#everywhere('sync', {});
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
    return sum(await this.#everywhere('dropFiles', { to }));
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
    this.#early?.stop();
    await this.#writes.finished();
    if (wasReady) await this.#everywhere('stop', {});
    await Promise.all(this.#clients.map((client) => client.end()));
    this.#options.log.debug('all partitions are written and closed');
  }
}
