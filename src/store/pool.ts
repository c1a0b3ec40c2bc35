/**
 * The store as the rest of the program sees it. Worker threads have its partitions, or with no workers this thread. Alone it
 * has all of them; as a member of a cluster a share, and what it is asked and given goes by way of the membership.
 *
 * A worker that dies takes the process down: half a store would answer queries with half of the data.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import { collectSoon } from '../heap.js';
import { type Logger, logSettings } from '../log.js';
import type { Trigger } from '../partition/checkpointer.js';
import type { Contents } from '../partition/contents.js';
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { Reconfiguration } from '../partition/partition.js';
import { Core } from '../wasm/core.js';
import type { LeafAnswerPart, LeafRequest } from '../wasm/leaf.js';
import { SamplePrinter } from '../wasm/sample-printer.js';
import { CHECKS_ONLY } from '../wasm/tables/codes.js';
import { Buffers } from './buffers.js';
import { EarlyWrites } from './early-writes.js';
import { Everywhere } from './everywhere.js';
import { LineChecker, type LineCheckerOptions } from './line-checker.js';
import { Loading } from './loading.js';
import { LocalPartitions } from './local/local-partitions.js';
import { type LocalThreadsOptions, loadOnAllCores, startThreads } from './local/local-threads.js';
import type { Membership } from './membership.js';
import { type CheckedFigures, mergeUnconfigured, sum, sumClocks, withChecked } from './merge.js';
import { Placement } from './placement.js';
import { AnswerBudget } from './query/budget.js';
import { columnsOf } from './query/columns.js';
import { dump } from './query/dump.js';
import { gather } from './query/gather.js';
import { askLeaf } from './query/leaf.js';
import { ask, type Plan, plan } from './query/scatter.js';
import { ANSWER_BYTES } from './query/sizes.js';
import { HostRouter } from './routing.js';
import {
  type Answer,
  type AnswerColumn,
  type ClusterSummary,
  type NodeHealth,
  type NodeSpan,
  type PartitionStats,
  type Precision,
  type QueryRequest,
  type RowAccount,
  type Store,
  StoreError,
  type UnconfiguredMetrics,
  type WriteOptions,
  type WriteOutcome,
} from './store.js';
import { type Lines, UNITS_PER_SECOND, Writes } from './writes.js';

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
  readonly #budget = new AnswerBudget(ANSWER_BYTES, collectSoon);
  readonly #router: HostRouter;
  readonly #writes: Writes;
  readonly #loading: Loading;
  /** Keeps what is written until all is loaded. */
  #early: EarlyWrites | undefined;
  /** Of what was written before all was loaded. */
  #notKept: CheckedFigures | undefined;
  /** Checks what is published; undefined: this store is alone. */
  #checker: LineChecker | undefined;
  #membership: Membership | undefined;
  #local = new LocalPartitions([], []);
  #prepared = false;
  #samplePrinter: SamplePrinter | undefined;
  readonly #placement: Placement;
  readonly #everywhere: Everywhere;
  #state: Store['state'] = 'loading';

  constructor(options: PoolOptions) {
    const { config, modulePath } = options;
    this.#options = options;
    this.#module = new WebAssembly.Module(readFileSync(modulePath));
    this.#router = new HostRouter(this.#module, partitionCount(config.store), this.#buffers);
    this.#writes = new Writes(this.#router, config.store.maxBodySize);
    this.#placement = new Placement(this.#router, (partition) =>
      this.#membership ? this.#membership.client : this.#local.clientOf(partition),
    );
    this.#everywhere = new Everywhere(this.#placement);
    this.#loading = new Loading(this.#router.partitions);
    const checks = this.#checks(config.metrics);
    if (config.cluster) this.#checker = new LineChecker(checks);
    else this.#early = new EarlyWrites({ ...checks, config: config.store, buffers: this.#buffers });
  }

  #checks(metrics: Config['metrics']): LineCheckerOptions {
    const { config, log } = this.#options;
    const { tagRules, store } = config;
    return { module: this.#module, metrics, tagRules, partitions: this.#router.partitions, config: store, log };
  }

  /** In a cluster: lines of other metrics are skipped from now on, for not all stores have them. */
  acceptMetrics(names: ReadonlySet<string>): void {
    const known = [...this.#options.config.metrics].filter(([name]) => names.has(name));
    const isTrusted = this.#checker?.clocks.isTrusted ?? true;
    this.#checker = new LineChecker(this.#checks(new Map(known)));
    this.#checker.clocks.trust(isTrusted);
  }

  /** Made when it is needed: its memory is of no use to who asks no PromQL. */
  get samplePrinter(): SamplePrinter {
    this.#samplePrinter ??= new SamplePrinter(this.#module);
    return this.#samplePrinter;
  }

  get #threads(): LocalThreadsOptions {
    const { config, onFatal } = this.#options;
    const partitions = this.#router.partitions;
    const [module, buffers, budget, loading] = [this.#module, this.#buffers, this.#budget, this.#loading];
    return { config, module, partitions, buffers, budget, loading, onFatal };
  }

  get state(): Store['state'] {
    return this.#state;
  }

  get secondsToReady(): number {
    return this.#state === 'ready' ? 0 : this.#loading.secondsLeft;
  }

  /** Makes this store one of several; to be called before `start`. */
  join(membership: Membership): void {
    this.#membership = membership;
  }

  partitionOf(cluster: string, host: string): number {
    return this.#router.partitionOf(cluster, host);
  }

  /** The partitions that are open in this process. */
  get local(): LocalPartitions {
    return this.#local;
  }

  /** Takes a buffer back that `takeBuffer` gave. */
  giveBuffer(buffer: ArrayBuffer): void {
    this.#buffers.give(buffer);
  }

  /** Starts the worker threads, which read their code and wait. Worth while when there is something to do before `start`. */
  prepare(): void {
    if (this.#prepared) return;
    this.#prepared = true;
    this.#local = startThreads(this.#threads);
  }

  /**
   * Has the workers load, which the directory must be locked for; resolves once all partitions are loaded and hold what was
   * written meanwhile. @param beforeReady runs after the load and before the first write. It may remove files of other layouts.
   */
  async start(beforeReady: () => Promise<void> = async () => {}): Promise<void> {
    this.prepare();
    this.#early?.open();
    await loadOnAllCores(this.#local, this.#threads);
    await beforeReady();
    const early = await this.#applyEarly();
    if (this.#state !== 'loading') return;
    this.#state = 'ready';
    this.#notKept = this.#early?.figures;
    this.#early = undefined;
    await this.#reportLoad(early);
  }

  /** Stores what was kept during the load. @returns lines. */
  async #applyEarly(): Promise<number> {
    const early = this.#early;
    if (!early) return 0;
    // Their times were judged when they came, and are noted again: whoever was ahead still is.
    await this.#local.everywhere('trustClock', { isTrusted: false });
    const lines = await early.apply((each) => this.#writes.store(this.#placement, each));
    if (this.#state === 'loading') await this.#local.everywhere('trustClock', { isTrusted: early.trustsClock });
    return lines;
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
      if (this.#checker) return await this.#publish(lines, this.#checker);
      const early = this.#early && (await this.#early.take(lines));
      return early ?? (await this.#writes.store(this.#placement, lines));
    } finally {
      this.#writes.release(length);
    }
  }

  async #publish(lines: Lines, checker: LineChecker): Promise<WriteOutcome> {
    try {
      if (!this.#membership) throw this.#loading.error();
      const checked = checker.check(lines);
      if (checked.runs.length) await this.#membership.publish(lines, checked);
      return checked.outcome;
    } finally {
      this.#buffers.give(lines.body);
    }
  }

  async query(request: QueryRequest): Promise<Answer> {
    const { questions, order } = this.#plan(request, 'query');
    return gather(order, await ask(questions, this.#placement));
  }

  async columns(request: QueryRequest): Promise<AsyncIterable<AnswerColumn[]>> {
    const { questions, order } = this.#plan(request, 'columns');
    return columnsOf(request, order, await ask(questions, this.#placement));
  }

  /** @throws StoreError LOADING unless the partitions that are asked are loaded; STOPPING. */
  #plan(request: QueryRequest, form: 'query' | 'columns'): Plan {
    this.#assertRunning();
    const made = plan(request, this.#placement, form);
    if (this.#state === 'loading') this.#loading.assertLoaded(made.questions.map(({ partition }) => partition));
    return made;
  }

  async debug(selector: string[]): Promise<Answer> {
    this.#assertReady();
    return dump(selector, this.#placement, () => this.clusters());
  }

  /** The configuration was read again; the log's settings go to the workers as well. @throws StoreError OUT_OF_MEMORY. */
  async reconfigure(change: Reconfiguration): Promise<void> {
    // New metrics are taken once all stores have them: `acceptMetrics`.
    this.#checker?.reconfigure({ ...change, metrics: [] });
    await this.#local.reconfigure({ ...change, log: logSettings() });
  }

  async free(to: number, selectors: string[][]): Promise<number> {
    this.#assertReady();
    return this.#everywhere.free(to, selectors);
  }

  clusters(): Promise<string[]> {
    return this.#everywhere.clusters();
  }

  async leaf(request: LeafRequest, signal: AbortSignal, account: RowAccount): Promise<LeafAnswerPart[]> {
    this.#assertReady();
    return askLeaf(this.#placement, request, signal, account);
  }

  async levelNames(depth: number, isStrong = false): Promise<string[]> {
    this.#assertReady();
    return this.#everywhere.levelNames(depth, isStrong);
  }

  async treeChanges(isStrong = false): Promise<string> {
    this.#assertReady();
    return this.#everywhere.treeChanges(isStrong);
  }

  contents(): Promise<Contents[]> {
    return this.#everywhere.contents();
  }

  async units(): Promise<Map<string, string>> {
    this.#assertReady();
    return this.#everywhere.units([...this.#options.config.metrics.keys()]);
  }

  async unconfigured(): Promise<UnconfiguredMetrics> {
    const parts = await this.#local.everywhere('unconfigured', {});
    // In a cluster lines are skipped where they come in, not where they are stored.
    if (this.#checker) parts.push(this.#checker.unconfigured);
    const { metrics, forgotten } = mergeUnconfigured(parts);
    return { metrics: metrics.filter(({ metric }) => !this.#options.config.metrics.has(metric)), forgotten };
  }

  summary(): Promise<ClusterSummary[]> {
    return this.#everywhere.summary();
  }

  nodes(cluster: string): Promise<NodeSpan[]> {
    return this.#everywhere.nodes(cluster);
  }

  async health(cluster: string, nodes: string[], metrics: string[]): Promise<Map<string, NodeHealth>> {
    this.#assertReady();
    return this.#everywhere.health(cluster, nodes, metrics);
  }

  /** Of the partitions that are open here, and loaded; lines that were refused before they came to one count with the first. */
  async stats(): Promise<PartitionStats[]> {
    const parts = await this.#local.stats((partition) => this.#loading.isLoaded(partition));
    const checked = this.#checker?.figures ?? this.#notKept;
    return checked ? withChecked(parts, checked) : parts;
  }

  async checkpoint(trigger: Trigger): Promise<void> {
    await this.#local.checkpoint(trigger);
  }

  async retain(to: number, except: ReadonlyMap<string, ReadonlySet<string>>): Promise<number> {
    return this.#local.retain(to, except);
  }

  /** Hosts that are ahead of this server's clock, of those that send (`HostClocks.count`). */
  async hostClocks(withSenders: boolean): Promise<HostClockCounts> {
    if (this.#state === 'loading') return this.#early?.hostClocks(withSenders) ?? { ahead: 0, senders: 0 };
    const parts = await this.#local.everywhere('hostClocks', { withSenders });
    // In a cluster times are checked where lines come in, not where they are stored.
    const ahead = this.#checker?.clocks.ahead(Math.floor(Date.now() / 1000)).length ?? 0;
    return sumClocks([...parts, { ahead, senders: withSenders ? ahead : 0 }]);
  }

  /** Whether samples are refused for their time. */
  async trustClock(isTrusted: boolean): Promise<void> {
    this.#checker?.clocks.trust(isTrusted);
    if (this.#early) this.#early.trustsClock = isTrusted;
    else await this.#local.everywhere('trustClock', { isTrusted });
  }

  /** Bytes in use in linear memory, one figure a partition that is open here. */
  memoryByPartition(): Promise<number[]> {
    return this.#local.everywhere('memory', {});
  }

  async sync(): Promise<void> {
    await this.#local.everywhere('sync', {});
  }

  /** See `LocalPartitions`. */
  timeToFree(bytes: number, bytesOf: number[], now: number): Promise<number | undefined> {
    return this.#local.timeToFree(bytes, bytesOf, now);
  }

  /** See `LocalPartitions`. */
  oldestTime(): Promise<number | undefined> {
    return this.#local.oldestTime();
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopping') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'stopping';
    this.#early?.stop();
    await this.#writes.finished();
    if (wasReady) await this.#local.everywhere('stop', {});
    await this.#local.end();
    this.#options.log.debug('all partitions are written and closed');
  }
}
