/**
 * One partition: its samples in memory, its log and its checkpoint files. Owned by one worker, which shares nothing of it.
 *
 * Order of things, which is what durability rests on (docs/durability.md):
 *   write        the core stores and makes the log's bytes → `flush` appends them → only then is the write answered
 *   free         the core frees and makes a log record → appended → answered → the next checkpoint replaces all files
 *   checkpoint   see checkpointer.ts
 *   start        see load-partition.ts
 */
import { randomUUID } from 'node:crypto';
import type { Jobs } from '../base/jobs.js';
import type { Logger } from '../base/log.js';
import { StoreError } from '../base/store-error.js';
import type { MetricConfig, StoreConfig } from '../config/config.js';
import type { TagRule } from '../config/influx-tags.js';
import type { Progress } from '../persistence/load-progress.js';
import { type Position, readPosition, writePosition } from '../persistence/stream-position.js';
import type { Core } from '../wasm/core.js';
import type { Reads } from '../wasm/reads.js';
import type { UnconfiguredMetrics } from '../wasm/unconfigured.js';
import { ANY_TIME, type Batch, type FieldMode } from '../wasm/writes.js';
import { Checkpointer, type CheckpointQueue, type Trigger } from './checkpointer.js';
import type { Contents } from './contents.js';
import { Counting } from './counting.js';
import type { ClusterSummary, NodeHealth, NodeSpan, PartitionStats } from './figures.js';
import { nodesHealth } from './health.js';
import { type HostClockCounts, HostClocks } from './host-clocks.js';
import { type LevelNames, listLevelNames } from './level-names.js';
import { listNodes } from './list-nodes.js';
import { openFiles, type PartitionFiles, type ReadFiles, readPartition } from './load-partition.js';
import { Refusals } from './refusals.js';
import { type Retention, RetentionPasses } from './retention-pass.js';
import { storeText } from './store-text.js';

/** What can change while partitions are open. */
export interface Reconfiguration {
  /** New ones, and those whose aggregation or precision is another. */
  metrics: [string, MetricConfig][];
  tagRules: TagRule[];
  store: Pick<StoreConfig, 'retentionSeconds' | 'futureLimitSeconds'>;
}

export interface PartitionOptions {
  /** An empty one, which knows its number. */
  core: Core;
  /** Of the worker, for the figures. */
  worker: number;
  config: StoreConfig;
  logger: Logger;
  jobs: Jobs;
  checkpoints: CheckpointQueue;
}

export class Partition {
  /** Of this opening of it: counters of another one, or of another copy, are not to be compared with its own. */
  readonly #id = randomUUID();
  readonly #core: Core;
  readonly #worker: number;
  readonly #walSync: StoreConfig['walSync'];
  readonly #directory: string;
  readonly #log: PartitionFiles['log'];
  readonly #checkpointer: Checkpointer;
  readonly #retention: RetentionPasses;
  readonly #counting: Counting;
  readonly #refusals = new Refusals();
  readonly #clocks: HostClocks;
  /** Shared by the partitions of a worker. */
  readonly #config: StoreConfig;
  readonly #jobs: Jobs;
  /** What was read at start. */
  readonly loadFigures: PartitionFiles['read'];
  /** The core has log bytes that are not appended yet. */
  #dirty = false;

  /**
   * Reads everything back that belongs to the partition. @param since unix seconds: older data is left out.
   * @param onProgress told now and then how many bytes of its files are read.
   */
  static async load(options: PartitionOptions, since: number, onProgress: Progress): Promise<Partition> {
    const { core, config, logger } = options;
    return Partition.open(options, await readPartition(core, config, since, logger, onProgress));
  }

  /** Goes on with a core that was filled from the partition's files. */
  static async open(options: PartitionOptions, files: ReadFiles): Promise<Partition> {
    const { core, config } = options;
    return new Partition(options, await openFiles(core, config, files));
  }

  private constructor({ core, worker, config, logger, jobs, checkpoints }: PartitionOptions, loaded: PartitionFiles) {
    this.#core = core;
    this.#worker = worker;
    this.#config = config;
    this.#walSync = config.walSync;
    this.#directory = loaded.directory;
    this.#log = loaded.log;
    this.loadFigures = loaded.read;
    this.#checkpointer = new Checkpointer({
      ...loaded,
      core,
      maxWalSize: config.checkpoints.maxWalSize,
      jobs,
      queue: checkpoints,
      logger,
      flush: () => this.flush(),
    });
    this.#retention = new RetentionPasses(core, this.#checkpointer, jobs);
    this.#counting = new Counting(core, jobs);
    this.#clocks = new HostClocks(config, logger);
    this.#jobs = jobs;
  }

  /** The configuration was read again. @throws StoreError OUT_OF_MEMORY. */
  reconfigure({ metrics, tagRules, store }: Reconfiguration): void {
    Object.assign(this.#config, store);
    this.#core.setMetrics(metrics);
    this.#core.writes.setTags(tagRules);
  }

  /** To answer questions in steps. Views are valid until the next call of the partition. */
  get reads(): Reads {
    return this.#core.reads;
  }

  /**
   * Stores lines. Not safe yet: the caller must `flush` before it answers. @param now unix seconds, for lines without a time.
   * @param onlyMissing bins that have a sample keep it. @param trusted their times were checked before.
   * @throws StoreError LOG_FAILED, OUT_OF_MEMORY.
   */
  write(
    text: Uint8Array,
    cluster: string,
    perSecond: number,
    now: number,
    fields: FieldMode = 'value',
    onlyMissing = false,
    trusted = false,
  ): Batch {
    this.#openLog();
    this.#core.writes.onlyMissing(onlyMissing);
    const times = trusted ? ANY_TIME : this.#clocks.limits(now);
    const batch = storeText(this.#core, text, cluster, perSecond, now, times, fields);
    if (batch.faults.length) this.#clocks.note(batch.faults, now);
    if (batch.refusals.length) this.#refusals.note(text, batch, now);
    return batch;
  }

  /**
   * Frees blocks that end before `to`, unix seconds, below each selector, and logs that. @returns blocks freed.
   * @throws StoreError LOG_FAILED, OUT_OF_MEMORY.
   */
  free(to: number, selectors: string[][]): number {
    this.#openLog();
    let freed = 0;
    for (const selector of selectors) freed += this.#core.writes.free(selector, to);
    const failure = this.flush();
    if (failure) throw failure;
    if (freed) this.#checkpointer.freed();
    return freed;
  }

  /** Makes sure that log bytes made from now on have a place. */
  #openLog(): void {
    try {
      this.#log.open();
    } catch (error) {
      throw logFailed(error);
    }
    this.#dirty = true;
  }

  /**
   * Appends what was stored since the last call to the log. @returns why that failed: nothing stored since then may be
   * answered as safe.
   */
  flush(): StoreError | undefined {
    if (!this.#dirty) return undefined;
    this.#dirty = false;
    const bytes = this.#core.writes.logged();
    try {
      if (bytes.length) {
        this.#log.append(bytes);
        if (this.#walSync === 'always') this.#log.syncNow();
      }
      return undefined;
    } catch (error) {
      return logFailed(error);
    } finally {
      this.#core.writes.logTaken();
    }
  }

  /** What was answered until now survives a power failure, unless `wal-sync` is off. @throws StoreError LOG_FAILED. */
  sync(): void {
    try {
      this.#log.syncAll();
    } catch (error) {
      throw logFailed(error);
    }
  }

  /** How far the samples go in the partition's stream; undefined: it has none. @throws Error when that can't be read. */
  get position(): Position | undefined {
    return readPosition(this.#directory);
  }

  /** What was answered until now goes so far in the partition's stream. @throws StoreError LOG_FAILED. */
  savePosition(position: Position): void {
    this.sync();
    writePosition(this.#directory, position);
  }

  /** Whether files of other layouts, or damaged ones, wait for this partition's checkpoint before they may go. */
  get needsCheckpoint(): boolean {
    return this.#checkpointer.mustSave;
  }

  /** Makes a checkpoint, after those of the worker that are under way. */
  checkpoint(trigger: Trigger): Promise<void> {
    return this.#checkpointer.make(trigger);
  }

  /** What is done every second: `wal-sync: interval`, and checkpoints that the log asks for. */
  tick(): void {
    if (this.#walSync === 'interval') this.#log.syncLater();
    this.#checkpointer.tick();
  }

  /** Frees what is old. @returns blocks freed. */
  retain(retention: Retention): Promise<number> {
    return this.#retention.run(retention);
  }

  /** Bytes of blocks by age, for `Ages`. @param now unix seconds that ages count from. */
  ages(now: number): Promise<Uint32Array> {
    return this.#retention.ages(now);
  }

  /** Removes checkpoint files whose samples all end before `to`, unix seconds. @returns their number. */
  dropFiles(to: number): Promise<number> {
    return this.#checkpointer.dropFiles(to);
  }

  /** Keeps all checkpoint files, because somebody reads them, until `unpinFiles` has been called as often. */
  pinFiles(): void {
    this.#checkpointer.pinFiles();
  }

  unpinFiles(): void {
    this.#checkpointer.unpinFiles();
  }

  /** Makes the last checkpoint and closes the files; nothing may be called afterwards. */
  async stop(): Promise<void> {
    try {
      await this.checkpoint('stop');
    } finally {
      this.close();
    }
  }

  /** Appends what is left and closes the log. */
  close(): void {
    const failure = this.flush();
    this.#log.close();
    if (failure) throw failure;
  }

  /** Names of the clusters that have hosts here. */
  clusters(): string[] {
    return this.#core.figures.clusters().map(({ name }) => name);
  }

  /** What is held of each metric at each level. */
  contents(): Promise<Contents[]> {
    return this.#counting.contents();
  }

  summary(): Promise<ClusterSummary[]> {
    return this.#counting.summary();
  }

  /** The units that lines have brought of these metrics since the start. */
  units(metrics: readonly string[]): [string, string][] {
    return metrics.flatMap((metric) => {
      const unit = this.#core.figures.unitOf(metric);
      return unit === '' ? [] : [[metric, unit] as [string, string]];
    });
  }

  /** Metrics that arrive without being configured, since start. */
  get unconfigured(): UnconfiguredMetrics {
    return this.#core.figures.unconfigured;
  }

  /** The nodes of a cluster, in no order. */
  nodes(cluster: string): Promise<NodeSpan[]> {
    return listNodes(this.#core, this.#jobs, cluster);
  }

  /** The names that there are at a depth of the tree, each once, and what they depend on. */
  levelNames(depth: number): Promise<LevelNames> {
    return listLevelNames(this.#core.reads, this.#jobs, depth);
  }

  /** A text that is another one whenever nodes or series have come or gone, and in each copy. */
  get treeChanges(): string {
    return `${this.#id} ${this.#core.reads.treeChanges}`;
  }

  /** How the metrics of some nodes are doing now, in the nodes' order. */
  health(cluster: string, nodes: string[], metrics: string[]): [node: string, health: NodeHealth][] {
    const now = Date.now() / 1000;
    return nodesHealth(this.#core, cluster, nodes, metrics, now, this.#clocks.present(now));
  }

  /** How many hosts are ahead of this server's clock, of how many that send; see `HostClocks`. */
  hostClocks(withSenders: boolean): HostClockCounts {
    return this.#clocks.count(this.#core.figures, withSenders, Math.floor(Date.now() / 1000));
  }

  /** Whether samples are refused for their time. */
  trustClock(isTrusted: boolean): void {
    this.#clocks.trust(isTrusted);
  }

  /** Bytes in use in linear memory. */
  get memoryBytes(): number {
    return this.#core.figures.memory.total;
  }

  /** Unix seconds of the oldest block; undefined: there is none. */
  get oldestTime(): number | undefined {
    return this.#core.figures.oldestTime();
  }

  /** Figures for /metrics; counts all series. */
  async stats(): Promise<PartitionStats> {
    const core = this.#core;
    const counts = await this.#counting.all();
    const totals = core.figures.totals;
    const refused = totals.refusedByReason.reduce((a, b) => a + b, 0);
    const { index, openBlocks, sealedBlocks, rollups, total } = core.figures.memory;
    return {
      partition: core.index,
      worker: this.#worker,
      lines: totals.stored + totals.skipped + refused,
      stored: totals.stored,
      skipped: totals.skipped,
      leftOut: totals.leftOut,
      refused,
      refusals: this.#refusals.figures(totals.refusedByReason),
      series: core.figures.series,
      hosts: core.figures.hosts,
      samples: counts.samples,
      memory: { index, openBlocks, sealedBlocks, rollups, total },
      linearMemory: core.figures.linearMemory,
      blocks: counts.blocks,
      log: this.#log.figures,
      missingFiles: this.loadFigures.missing.length,
      checkpoint: this.#checkpointer.figures,
    };
  }
}

function logFailed(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError('LOG_FAILED', `the log can't be written: ${(error as Error).message}`, { cause: error });
}
