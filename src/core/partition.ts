/**
 * One partition: its core, its log and its checkpoint files. Owned by one worker; nothing here is shared.
 *
 * Order of things, which is what durability rests on:
 *   write       the core stores and makes the log's bytes → `flush` appends them → only then is the write answered
 *   checkpoint  the log moves to a new segment → all series are written to a file, while writes go on → the file is synced →
 *               the manifest names it, durably → only then the old segments are removed
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricConfig, StoreConfig } from '../config/config.js';
import type { Logger } from '../log.js';
import { CheckpointWriter } from '../persistence/checkpoint-file.js';
import {
  checkpointName,
  foreignDirectories,
  listCheckpoints,
  type Manifest,
  makeDirectory,
  partitionDirectory,
  removeFile,
  writeManifest,
} from '../persistence/layout.js';
import { type Loaded, loadDirectory } from '../persistence/load.js';
import { LogFile } from '../persistence/log-file.js';
import { type Batch, Core, type Counts } from './instance.js';
import { type PartitionStats, StoreError } from './store.js';

/** Bytes of a checkpoint that are made and written at a time: what a write may have to wait for. */
const CHECKPOINT_STEP = 128 << 10;
/** So many checkpoint files are joined by a full checkpoint. */
const MAX_FILES = 24;
/** Without a configured limit a checkpoint is made after so many bytes of log: restarts stay short. */
const DEFAULT_LOG_LIMIT = 64 << 20;

export class Partition {
  readonly core: Core;
  readonly #directory: string;
  readonly #store: StoreConfig;
  readonly #logger: Logger;
  #log: LogFile | undefined;
  #manifest: Manifest = { version: 1, files: [], firstSegment: 0 };
  #nextCheckpoint = 1;
  /** The next checkpoint writes everything, not just what is new. */
  #full = false;
  #running: CheckpointWriter | undefined;
  #dirty = false;
  #last = 0;
  #seconds = 0;
  #written = 0;
  #count = 0;

  constructor(
    module: WebAssembly.Module,
    readonly index: number,
    readonly count: number,
    readonly worker: number,
    metrics: ReadonlyMap<string, MetricConfig>,
    store: StoreConfig,
    logger: Logger,
  ) {
    this.core = new Core(module, metrics, index, count);
    this.#store = store;
    this.#logger = logger;
    this.#directory = partitionDirectory(store.checkpoints.directory, index, count);
  }

  /**
   * Reads everything back that belongs to this partition.
   * @param since unix seconds: older data is left out. @param before loads what is older than our own files.
   */
  async load(since: number, before: (core: Core) => Promise<boolean>): Promise<void> {
    const root = this.#store.checkpoints.directory;
    mkdirSync(root, { recursive: true });
    const foreign = foreignDirectories(root, this.count);
    for (const directory of foreign) loadDirectory(this.core, directory, since, true, this.#logger);
    const imported = await before(this.core);
    makeDirectory(root, this.#directory);
    const loaded = loadDirectory(this.core, this.#directory, since, false, this.#logger);
    this.core.loadEnd();
    this.#begin(loaded);
    if (loaded.damaged || foreign.length || imported) this.#full = true;
  }

  #begin(loaded: Loaded): void {
    this.#manifest = loaded.manifest;
    this.#nextCheckpoint = loaded.nextCheckpoint;
    const { checkpoints, walSync } = this.#store;
    this.#log = new LogFile(this.#directory, walSync, loaded.segments, loaded.nextSegment, () =>
      this.core.logStartSegment(),
    );
    this.#removeUnnamed();
    if (loaded.samples) this.#logger.debug(`${checkpoints.directory}: ${loaded.samples} samples replayed from the log`);
  }

  /** Whether files of other layouts (or the reference's) wait for this partition's checkpoint before they may go. */
  get needsCheckpoint(): boolean {
    return this.#full;
  }

  get #openLog(): LogFile {
    if (!this.#log) throw new StoreError('LOADING', 'checkpoints are still being read');
    return this.#log;
  }

  /** Stores lines. Not safe yet: the caller must `flush` before it answers. @throws StoreError LOG_FAILED, OUT_OF_MEMORY. */
  write(text: Uint8Array, cluster: string, perSecond: number, now: number): Batch {
    this.openLog();
    this.#dirty = true;
    return this.core.ingest(text, cluster, perSecond, now);
  }

  /** Makes sure that log bytes made from now on have a place. @throws StoreError LOG_FAILED. */
  openLog(): void {
    try {
      this.#openLog.open();
    } catch (error) {
      throw logFailed(error);
    }
  }

  /**
   * Appends what was stored since the last call to the log. @returns why that failed: nothing stored since then may be
   * answered as safe.
   */
  flush(): StoreError | undefined {
    if (!this.#dirty) return undefined;
    this.#dirty = false;
    const log = this.#openLog;
    const bytes = this.core.logged();
    try {
      if (bytes.length) {
        log.append(bytes);
        if (this.#store.walSync === 'always') log.syncNow();
      }
      return undefined;
    } catch (error) {
      return logFailed(error);
    } finally {
      this.core.logTaken();
    }
  }

  /** Log bytes were made outside `write`. */
  touch(): void {
    this.#dirty = true;
  }

  /** Called every second for `wal-sync: interval`. */
  syncLog(): void {
    if (this.#store.walSync === 'interval') this.#log?.syncLater();
  }

  /** Whether the log has grown enough for a checkpoint out of turn. */
  get logIsLong(): boolean {
    const limit = this.#store.checkpoints.maxWalSize ?? DEFAULT_LOG_LIMIT;
    return limit > 0 && this.#running === undefined && (this.#log?.bytes ?? 0) > limit;
  }

  get isCheckpointing(): boolean {
    return this.#running !== undefined;
  }

  /** Starts a checkpoint; go on with `checkpointStep` until it returns false. @throws the file system's error. */
  checkpointBegin(): void {
    if (this.#running) throw new Error('BUG: a checkpoint is running already');
    const failure = this.flush();
    if (failure) throw failure;
    const full = this.#full || this.#manifest.files.length >= MAX_FILES;
    const firstSegment = this.#openLog.rotate();
    const name = checkpointName(this.#nextCheckpoint++);
    this.#running = new CheckpointWriter(this.core, join(this.#directory, name), name, full, firstSegment);
  }

  /** Makes and writes the next part. @returns whether there is more. */
  checkpointStep(): boolean {
    const running = this.#running;
    if (!running) throw new Error('BUG: no checkpoint is running');
    try {
      return running.step(CHECKPOINT_STEP);
    } catch (error) {
      this.#giveUp(running);
      throw error;
    }
  }

  /** Makes the checkpoint the current one. */
  async checkpointEnd(): Promise<void> {
    const running = this.#running;
    if (!running) throw new Error('BUG: no checkpoint is running');
    try {
      const file = await running.finish();
      const files = running.full ? [] : this.#manifest.files;
      const manifest: Manifest = {
        version: 1,
        files: file ? [...files, file] : files,
        firstSegment: running.firstSegment,
      };
      writeManifest(this.#directory, manifest);
      this.#manifest = manifest;
      this.#full = false;
      this.#last = Date.now() / 1000;
      this.#seconds = running.seconds;
      this.#written += file?.bytes ?? 0;
      this.#count++;
    } catch (error) {
      this.#giveUp(running);
      throw error;
    }
    this.#running = undefined;
    this.#openLog.dropBelow(this.#manifest.firstSegment);
    this.#removeUnnamed();
  }

  #giveUp(running: CheckpointWriter): void {
    running.abandon();
    this.#running = undefined;
    // Its blocks count as written in the core.
    this.core.checkpointForget();
  }

  /** Removes checkpoint files whose samples all end before `to`. @returns their number. */
  dropFiles(to: number): number {
    if (this.#running) return 0;
    const files = this.#manifest.files.filter((file) => file.to > to);
    const dropped = this.#manifest.files.length - files.length;
    if (dropped) {
      this.#manifest = { ...this.#manifest, files };
      writeManifest(this.#directory, this.#manifest);
      this.#removeUnnamed();
    }
    return dropped;
  }

  /** Removes checkpoint files that the manifest does not name: unfinished ones, or replaced ones. */
  #removeUnnamed(): void {
    const named = new Set(this.#manifest.files.map((file) => file.name));
    for (const { name } of listCheckpoints(this.#directory)) {
      if (!named.has(name)) removeFile(join(this.#directory, name));
    }
  }

  /** Appends what is left and closes the files. */
  close(): void {
    const failure = this.flush();
    this.#log?.close();
    if (failure) throw failure;
  }

  /** Figures for /metrics. @param counts of a recent count over all series. */
  stats(counts: Counts): PartitionStats {
    const { core } = this;
    const totals = core.totals;
    const refused = totals.refusedByReason.reduce((a, b) => a + b, 0);
    const { index, openBlocks, sealedBlocks, total } = core.memory;
    return {
      partition: this.index,
      worker: this.worker,
      lines: totals.stored + totals.skipped + refused,
      stored: totals.stored,
      skipped: totals.skipped,
      refused,
      refusedByReason: totals.refusedByReason,
      series: core.series,
      hosts: core.hosts,
      samples: counts.samples,
      memory: { index, openBlocks, sealedBlocks, total },
      linearMemory: core.linearMemory,
      blocks: counts.blocks,
      log: this.#log?.figures ?? { bytes: 0, segments: 0, writes: 0, syncs: 0, syncSeconds: 0, failed: null },
      checkpoint: { last: this.#last, seconds: this.#seconds, bytes: this.#written, count: this.#count },
    };
  }
}

function logFailed(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError('LOG_FAILED', `the log can't be written: ${(error as Error).message}`, { cause: error });
}
