/**
 * The store as the rest of the program sees it. Worker threads have its partitions, or with no workers this thread. Alone it
 * has all of them; as a member of a cluster a share, and what it is asked and given goes by way of the membership.
 *
 * A worker that dies takes the process down: half a store would answer queries with half of the data.
 */
import { readFileSync } from 'node:fs';
import { collectSoon } from '../base/heap.js';
import { type Logger, logSettings } from '../base/log.js';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import type { Trigger } from '../partition/checkpointer.js';
import type { Contents } from '../partition/contents.js';
import type { HostClockCounts } from '../partition/host-clocks.js';
import type { Reconfiguration } from '../partition/partition.js';
import { Core } from '../wasm/core.js';
import type { LeafAnswerPart, LeafRequest } from '../wasm/leaf.js';
import { SamplePrinter } from '../wasm/sample-printer.js';
import { CHECKS_ONLY } from '../wasm/tables/codes.js';
import { Buffers } from './buffers.js';
import { Everywhere } from './everywhere.js';
import { Intake } from './intake.js';
import { Loading } from './loading.js';
import { LocalPartitions } from './local/local-partitions.js';
import { type LocalThreadsOptions, loadOnAllCores, startThreads } from './local/local-threads.js';
import type { Membership } from './membership.js';
import { mergeUnconfigured, sum, withChecked } from './merge.js';
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
  readonly #intake: Intake;
  readonly #loading: Loading;
  #membership: Membership | undefined;
  #local = new LocalPartitions([], []);
  #prepared = false;
  #samplePrinter: SamplePrinter | undefined;
  readonly #placement: Placement;
  readonly #everywhere: Everywhere;
  #state: Store['state'] = 'loading';

  constructor(options: PoolOptions) {
    const { config, log, modulePath } = options;
    const { tagRules, store } = config;
    const [module, buffers] = [new WebAssembly.Module(readFileSync(modulePath)), this.#buffers];
    const partitions = partitionCount(store);
    this.#options = options;
    this.#module = module;
    this.#router = new HostRouter(module, partitions, buffers);
    this.#loading = new Loading(partitions);
    this.#placement = new Placement(this.#router, (partition) =>
      this.#membership ? this.#membership.client : this.#local.clientOf(partition),
    );
    this.#everywhere = new Everywhere(this.#placement);
    this.#intake = new Intake({
      checks: { module, tagRules, partitions, config: store, log },
      config,
      router: this.#router,
      placement: this.#placement,
      buffers,
      loading: this.#loading,
      local: () => this.#local,
    });
  }

  /** See `Intake`. */
  acceptMetrics(names: ReadonlySet<string>): void {
    this.#intake.acceptMetrics(names);
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
    this.#intake.join(membership);
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
    this.#intake.open();
    await loadOnAllCores(this.#local, this.#threads);
    await beforeReady();
    const early = await this.#intake.applyEarly();
    if (this.#state !== 'loading') return;
    this.#state = 'ready';
    await this.#reportLoad(early);
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

  /** See `Intake`. */
  get withoutLog(): number[] {
    return this.#intake.withoutLog;
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
    return this.#intake.write(body, length, cluster, precision, options);
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
    this.#intake.reconfigure(change);
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
    const skipped = this.#intake.unconfigured;
    const { metrics, forgotten } = mergeUnconfigured(skipped ? [...parts, skipped] : parts);
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
    const checked = this.#intake.figures;
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
    return this.#intake.hostClocks(withSenders);
  }

  /** Whether samples are refused for their time. */
  async trustClock(isTrusted: boolean): Promise<void> {
    await this.#intake.trustClock(isTrusted);
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
    await this.#intake.stop();
    if (wasReady) await this.#local.everywhere('stop', {});
    await this.#local.end();
    this.#options.log.debug('all partitions are written and closed');
  }
}
