/**
 * One partition: its core, its log and its checkpoint files. Owned by one worker, which shares nothing of it.
 *
 * Order of things, which is what durability rests on:
 *   write       the core stores and makes the log's bytes → `flush` appends them → only then is the write answered
 *   checkpoint  the log moves to a new segment → all series are written to a file, while writes go on → the file is synced →
 *               the manifest names it, durably → only then the old segments are removed
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreConfig } from '../config/config.js';
import type { Logger } from '../log.js';
import { readArchivedTo } from '../persistence/archive/job/state.js';
import { CheckpointWriter } from '../persistence/checkpoint/checkpoint-file.js';
import type { CheckpointRun } from '../persistence/checkpoint/checkpoint-run.js';
import { FileSet } from '../persistence/checkpoint/file-set.js';
import type { Imported } from '../persistence/import-reference.js';
import { jsonWindowSeconds } from '../persistence/json/json-windows.js';
import { foreignDirectories, keepDamaged, makeDirectory, partitionDirectory } from '../persistence/layout.js';
import { type Loaded, loadDirectory } from '../persistence/load.js';
import { LogFile } from '../persistence/log/log-file.js';
import { scanReferenceDirectory } from '../persistence/reference/directory.js';
import { StoreError } from '../store-error.js';
import type { Batch, Core, Counts } from '../wasm/instance.js';
import type { PartitionStats } from './figures.js';
import { LoadRoom, loadLimit } from './load-room.js';

/** Bytes of samples in a partition that are written anew at a stop rather than leaving several files. */
const JOIN_BYTES = 128 << 20;
/** Without a configured limit a checkpoint is made after so many bytes of log, of all partitions: restarts stay short. */
const LOG_LIMIT = 48 << 20;

export class Partition {
  readonly #worker: number;
  readonly #directory: string;
  readonly #store: StoreConfig;
  readonly #logger: Logger;
  #log: LogFile | undefined;
  #files: FileSet | undefined;
  /** Width of JSON windows; undefined: checkpoints are our own `.blocks` files. */
  readonly #windowSeconds: number | undefined;
  /** What writes them. */
  #json: typeof import('../persistence/json/json-checkpoint.js') | undefined;
  /** The next checkpoint writes everything, not just what is new. Counts up with each reason for that. */
  #wantFull = 0;
  #doneFull = 0;
  /** What was loaded is not in our own files yet: the next checkpoint is a `.blocks` file, whatever the config says. */
  #mustSave = false;
  #running: (CheckpointRun & { wantFull: number }) | undefined;
  #dirty = false;
  #last = 0;
  #seconds = 0;
  /** Size of the last checkpoint. */
  #lastBytes = 0;
  #written = 0;
  #count = 0;

  /** @param core an empty one. @param worker for the figures. */
  constructor(
    readonly core: Core,
    worker: number,
    store: StoreConfig,
    logger: Logger,
  ) {
    this.#worker = worker;
    this.#store = store;
    this.#logger = logger;
    this.#directory = partitionDirectory(store.checkpoints.directory, core.index, core.partitions);
    this.#windowSeconds = jsonWindowSeconds(store);
  }

  /**
   * Reads everything back that belongs to this partition: host by host what lies there in the reference's layout, then what
   * another number of partitions has left, then its own files. @param since unix seconds: older data is left out.
   */
  async load(since: number): Promise<void> {
    const { core } = this;
    const root = this.#store.checkpoints.directory;
    mkdirSync(root, { recursive: true });
    const archivedTo = this.#readArchivedTo(root);
    // What is only in the log must get into a checkpoint before it may leave memory for the archive.
    const logSince = archivedTo === undefined ? since : Math.min(since, archivedTo);
    if (this.#windowSeconds !== undefined) this.#json = await import('../persistence/json/json-checkpoint.js');
    const imported = await this.#importReference(root, since);
    // JSON windows are checkpoints: what they hold is kept already.
    if (!imported.foreign) for (let number = 0; number < core.seriesEnd; number++) core.takeUnsaved(number, true);
    await this.#json?.removeUnfinished(core, root);
    const room = new LoadRoom(core, since, loadLimit(this.#store.memoryCapBytes, this.core.partitions));
    const foreign = foreignDirectories(root, this.core.partitions);
    for (const directory of foreign) {
      const { aside } = loadDirectory(core, directory, room, logSince, true, this.#logger);
      if (this.core.index === 0) keepDamaged(root, aside);
    }
    makeDirectory(root, this.#directory);
    const loaded = loadDirectory(core, this.#directory, room, logSince, false, this.#logger);
    room.report(this.#directory, this.#logger);
    loaded.aside.push(...imported.damaged);
    core.loadEnd();
    this.#begin(loaded, room.since, archivedTo);
    // What the log has freed again is still in the files.
    if (core.replayedFrees) this.#wantFull++;
    this.#mustSave = loaded.damaged || foreign.length > 0 || imported.foreign || imported.damaged.length > 0;
    if (this.#mustSave) this.#wantFull++;
  }

  /** What lies there in the reference's layout; mostly nothing, and then the code for it is not even read. */
  async #importReference(root: string, since: number): Promise<Imported> {
    if (!(await scanReferenceDirectory(root)).length) return { foreign: false, damaged: [] };
    const { importReference } = await import('../persistence/import-reference.js');
    return importReference(this.core, root, since, this.#windowSeconds, this.#logger);
  }

  /** Until when data is archived, unix seconds; undefined: it is not archived but deleted. */
  #readArchivedTo(root: string): number | undefined {
    if (this.#store.cleanup.mode !== 'archive') return undefined;
    return readArchivedTo(root) ?? Number.NEGATIVE_INFINITY;
  }

  #begin(loaded: Loaded, since: number, archivedTo: number | undefined): void {
    const { checkpoints, walSync } = this.#store;
    this.#files = new FileSet(this.#directory, loaded, archivedTo, since);
    this.#log = new LogFile(this.#directory, walSync, loaded.segments, loaded.nextSegment, () =>
      this.core.logStartSegment(),
    );
    if (loaded.samples) this.#logger.debug(`${checkpoints.directory}: ${loaded.samples} samples replayed from the log`);
  }

  /** Whether files of other layouts (or the reference's) wait for this partition's checkpoint before they may go. */
  get needsCheckpoint(): boolean {
    return this.#mustSave;
  }

  get #openFiles(): FileSet {
    if (!this.#files) throw new StoreError('LOADING', 'checkpoints are still being read');
    return this.#files;
  }

  /** Whether what leaves memory by its age must be in a checkpoint before, because it is to be archived. */
  get archives(): boolean {
    return this.#openFiles.archives;
  }

  /** Memory gives up what ends before `to` because it is old. */
  freedOld(to: number): void {
    this.#openFiles.freed(to);
  }

  /** Somebody has freed what files hold: the next checkpoint replaces them all, so that it does not come back. */
  freedByHand(): void {
    this.#wantFull++;
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
  get #logIsLong(): boolean {
    // Many series make a large checkpoint whatever is new in it: it should not cost more than the log that it replaces.
    const own = Math.max(LOG_LIMIT / this.core.partitions, this.#lastBytes);
    const limit = this.#store.checkpoints.maxWalSize ?? own;
    return limit > 0 && this.#running === undefined && (this.#log?.bytes ?? 0) > limit;
  }

  /** Whether a checkpoint should be made out of turn: the log is long, or the disk may have lost some of it. */
  get wantsCheckpoint(): boolean {
    return this.#logIsLong || (this.#running === undefined && this.#log?.isDoubtful === true);
  }

  /**
   * Makes the next checkpoint, the last one before a stop, a full one if that is quick: older files hold blocks that were
   * merged since and open blocks that were sealed since, and the start would read both.
   */
  joinForStop(): void {
    if (this.#openFiles.count > 1 && this.core.memory.sealedBlocks < JOIN_BYTES) this.#wantFull++;
  }

  /** Starts a checkpoint; go on with `checkpointStep` until it returns false. @throws the file system's error. */
  checkpointBegin(): void {
    if (this.#running) throw new Error('BUG: a checkpoint is running already');
    const failure = this.flush();
    if (failure) throw failure;
    const firstSegment = this.#openLog.rotate();
    const run = this.#newRun(firstSegment);
    this.#running = Object.assign(run, { wantFull: this.#wantFull });
  }

  #newRun(firstSegment: number): CheckpointRun {
    const files = this.#openFiles;
    const wanted = this.#wantFull > this.#doneFull;
    if (this.#json && this.#windowSeconds !== undefined && !this.#mustSave) {
      // What `.blocks` files hold moves to windows, all at once.
      const full = wanted || files.count > 0;
      const root = this.#store.checkpoints.directory;
      return new this.#json.JsonCheckpoint(this.core, root, this.#windowSeconds, full, firstSegment, files.freedTo);
    }
    const name = files.takeName();
    const full = wanted || files.wantJoining;
    return new CheckpointWriter(this.core, join(this.#directory, name), name, full, firstSegment);
  }

  /** Makes and writes the next part. @returns whether there is more. */
  checkpointStep(): boolean {
    const running = this.#running;
    if (!running) throw new Error('BUG: no checkpoint is running');
    try {
      return running.step();
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
      this.#running = undefined;
      this.#openFiles.commit(file, running.full, running.firstSegment);
    } catch (error) {
      // Once the manifest was to be written its file stays: the manifest may name it although its sync has failed.
      if (this.#running) this.#giveUp(running);
      else this.core.checkpointForget();
      throw error;
    }
    this.#mustSave = false;
    if (running.full) this.#doneFull = running.wantFull;
    this.#last = Date.now() / 1000;
    this.#seconds = running.seconds;
    this.#written += running.bytes;
    if (!running.full) this.#lastBytes = running.bytes;
    this.#count++;
    for (const path of this.#openFiles.tidy()) this.#logger.err(`${path}: set aside; what was good of it is kept`);
    this.#openLog.dropBelow(running.firstSegment);
  }

  #giveUp(running: CheckpointRun): void {
    running.abandon();
    this.#running = undefined;
    // Its blocks count as written in the core.
    this.core.checkpointForget();
  }

  /** Removes checkpoint files whose samples all end before `to`. @returns their number. */
  async dropFiles(to: number): Promise<number> {
    const dropped = this.#openFiles.drop(to);
    if (!this.#json || this.#windowSeconds === undefined) return dropped;
    return (
      dropped + (await this.#json.dropWindows(this.core, this.#store.checkpoints.directory, this.#windowSeconds, to))
    );
  }

  /** Lets no checkpoint file be removed, while somebody reads them, until as many `unpinFiles`. */
  pinFiles(): void {
    this.#openFiles.pin();
  }

  unpinFiles(): void {
    this.#openFiles.unpin();
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
    const { index, openBlocks, sealedBlocks, rollups, total } = core.memory;
    return {
      partition: this.core.index,
      worker: this.#worker,
      lines: totals.stored + totals.skipped + refused,
      stored: totals.stored,
      skipped: totals.skipped,
      refused,
      refusedByReason: totals.refusedByReason,
      series: core.series,
      hosts: core.hosts,
      samples: counts.samples,
      memory: { index, openBlocks, sealedBlocks, rollups, total },
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
