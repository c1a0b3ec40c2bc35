/**
 * When a partition makes a checkpoint, and in which order. docs/durability.md has it on one page, with what happens at a
 * kill in between.
 *
 *   1. the log moves to a new segment: what is stored from now on is in it, and not in the checkpoint
 *   2. what memory holds is written to files, in steps between the worker's other work; all of it, or what is new
 *   3. the files are synced
 *   4. the manifest names them, durably
 *   5. the segments and files that it replaces are removed
 *
 * The checkpoints of a worker's partitions are made one after the other.
 */

import type { Jobs } from '../base/jobs.js';
import type { Logger } from '../base/log.js';
import type { StoreError } from '../base/store-error.js';
import { BlocksCheckpoint } from '../persistence/checkpoint/blocks-checkpoint.js';
import type { CheckpointRun } from '../persistence/checkpoint/checkpoint-run.js';
import type { CheckpointFile } from '../persistence/checkpoint/manifest.js';
import type { JsonLayout } from '../persistence/json/json-layout.js';
import type { LogFile } from '../persistence/log/log-file.js';
import type { Core } from '../wasm/core.js';
import type { CheckpointFigures } from './figures.js';
import type { PartitionFiles } from './load-partition.js';
import { Mutex } from './mutex.js';

/** What triggers a checkpoint, and why. Each names the file that asks for it. */
export const TRIGGERS = {
  /** src/store/local/shard.ts: the files that were read may go once our own hold their samples. */
  load: 'files of another layout, or damaged ones, were loaded',
  /** This file, each second. */
  'log-size': 'the log has outgrown its limit',
  /** This file, each second. */
  'log-doubt': 'the disk may have lost a part of the log',
  /** src/retention/retention.ts. */
  interval: 'the checkpoint interval has passed',
  /** src/retention/cleanup.ts: the archive is made of files. */
  cleanup: 'old samples are about to be archived',
  /** src/partition/retention-pass.ts: what leaves memory must be in a file that the archive will read. */
  retention: 'samples that leave memory are to be archived',
  /** src/cluster/copies/snapshot.ts. */
  snapshot: 'another store of the cluster copies the partition',
  /** src/partition/partition.ts. */
  stop: 'the server stops',
} as const;

export type Trigger = keyof typeof TRIGGERS;

/** What makes the next checkpoint a full one, which replaces all files instead of adding one. */
type FullReason =
  /** What was loaded is in files of another layout, or in damaged ones. */
  | 'load'
  /** Somebody has freed what files hold: it must not come back. */
  | 'free'
  /** After a stop the next start reads one file instead of several. */
  | 'stop'
  /** There are very many files. */
  | 'join';

/** Bytes of sealed blocks that are written anew at a stop rather than leaving several files. */
const JOIN_BYTES = 128 << 20;
/** Without a configured limit a checkpoint is made after so many bytes of log, of all partitions: restarts stay short. */
const LOG_LIMIT = 48 << 20;
/** After a failure (a full disk, say) the log does not trigger a checkpoint for so long. */
const RETRY_MS = 60_000;

/** What the checkpointers of one worker share. */
export class CheckpointQueue extends Mutex {
  /** Until then no log triggers a checkpoint, milliseconds of performance.now. */
  retryAfter = 0;
}

export interface CheckpointerOptions extends PartitionFiles {
  core: Core;
  /** Bytes of log after which a checkpoint is made; 0: no limit; undefined: see LOG_LIMIT. */
  maxWalSize: number | undefined;
  jobs: Jobs;
  queue: CheckpointQueue;
  logger: Logger;
  /** Appends to the log what was stored and is not in it yet. @returns why that failed. */
  flush(): StoreError | undefined;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  /** Why the next checkpoint will be a full one. */
  #full = new Set<FullReason>();
  /** What was loaded is not in our own files yet: the next checkpoint is a `.blocks` file, whatever the config says. */
  #mustSave: boolean;
  #running = false;
  #last = 0;
  #seconds = 0;
  /** Size of the last checkpoint that was not a full one. */
  #lastBytes = 0;
  #written = 0;
  #made = 0;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#mustSave = options.mustSave;
    if (options.mustSave) this.#full.add('load');
    if (options.freed) this.#full.add('free');
  }

  /** Whether files of other layouts, or damaged ones, wait for this partition's checkpoint before they may go. */
  get mustSave(): boolean {
    return this.#mustSave;
  }

  get figures(): CheckpointFigures {
    return { last: this.#last, seconds: this.#seconds, bytes: this.#written, count: this.#made };
  }

  /** Whether what leaves memory by its age must be in a file before, because it is to be archived. */
  get archives(): boolean {
    return this.#options.files.archives;
  }

  /** Memory gives up what ends before `to`, unix seconds, because it is old. */
  freedOld(to: number): void {
    this.#options.files.freed(to);
  }

  /** Keeps all checkpoint files, because somebody reads them, until `unpinFiles` has been called as often. */
  pinFiles(): void {
    this.#options.files.pin();
  }

  unpinFiles(): void {
    this.#options.files.unpin();
  }

  /** Somebody has freed what files hold. */
  freed(): void {
    this.#full.add('free');
  }

  /** Makes a checkpoint, after those that are under way. @throws the file system's error; the old files stay then. */
  make(trigger: Trigger): Promise<void> {
    return this.exclusively(() => this.#make(trigger));
  }

  /** Runs what must not happen during a checkpoint, after those that are under way. */
  exclusively<T>(task: (makeNow: (trigger: Trigger) => Promise<void>) => Promise<T>): Promise<T> {
    return this.#options.queue.run(() => task((trigger) => this.#make(trigger)));
  }

  /** Makes a checkpoint if the log asks for one; to be called every second. */
  tick(): void {
    const { queue, logger } = this.#options;
    const trigger = this.#logTrigger();
    if (trigger === undefined || performance.now() < queue.retryAfter) return;
    queue.retryAfter = Number.POSITIVE_INFINITY;
    this.make(trigger).then(
      () => {
        queue.retryAfter = 0;
      },
      (error: unknown) => {
        queue.retryAfter = performance.now() + RETRY_MS;
        logger.err(
          `the checkpoint failed that was to be made because ${TRIGGERS[trigger]}; next try in a minute`,
          error,
        );
      },
    );
  }

  #logTrigger(): Trigger | undefined {
    if (this.#running) return undefined;
    const { log, core, maxWalSize } = this.#options;
    // Many series make a large checkpoint whatever is new in it: it should not cost more than the log that it replaces.
    const own = Math.max(LOG_LIMIT / core.partitions, this.#lastBytes);
    const limit = maxWalSize ?? own;
    if (limit > 0 && log.bytes > limit) return 'log-size';
    return log.isDoubtful ? 'log-doubt' : undefined;
  }

  /** The steps at the top of this file. */
  async #make(trigger: Trigger): Promise<void> {
    const { core, log, files, logger, flush } = this.#options;
    const failure = flush();
    if (failure) throw failure;
    const firstSegment = log.rotate();
    const reasons = this.#takeFullReasons(trigger);
    let run: CheckpointRun | undefined;
    this.#running = true;
    try {
      run = this.#begin(reasons.size > 0, firstSegment);
      // Once the manifest is being written the file stays: the manifest may name it although its sync has failed.
      const fresh = await this.#write(run);
      files.commit(fresh, run.full, firstSegment, trigger === 'stop' ? undefined : this.#openSegment());
    } catch (error) {
      for (const reason of reasons) this.#full.add(reason);
      // The core counts what is in the file as written.
      if (run) core.files.checkpointForget();
      throw error;
    } finally {
      this.#running = false;
    }
    this.#mustSave = false;
    this.#count(run, reasons.size > 0);
    logger.debug(
      `${this.#options.directory}: checkpoint because ${TRIGGERS[trigger]}: ` +
        `${reasons.size ? `everything (${[...reasons].join(', ')})` : 'what is new'}, ${run.bytes} bytes`,
    );
    for (const line of files.tidy()) logger.err(line);
    log.dropBelow(firstSegment);
  }

  /** The segment that the checkpoint's log goes on in, which the manifest names. Undefined: the disk refuses it now. */
  #openSegment(): LogFile['current'] {
    const { log } = this.#options;
    try {
      log.open();
    } catch {
      // `log.figures.failed` tells.
    }
    return log.current;
  }

  /** Why this checkpoint is a full one; none: it is not. */
  #takeFullReasons(trigger: Trigger): Set<FullReason> {
    const { core, files } = this.#options;
    const reasons = this.#full;
    this.#full = new Set();
    if (trigger === 'stop' && files.count > 1 && core.figures.memory.sealedBlocks < JOIN_BYTES) reasons.add('stop');
    // JSON windows replace all `.blocks` files at once.
    if (this.#json ? files.count > 0 : files.wantJoining) reasons.add('join');
    return reasons;
  }

  /** Where the next checkpoint goes in JSON; undefined: it is a `.blocks` file. */
  get #json(): JsonLayout | undefined {
    return this.#mustSave ? undefined : this.#options.json;
  }

  #begin(full: boolean, firstSegment: number): CheckpointRun {
    const { core, directory, files } = this.#options;
    if (this.#json) return this.#json.begin(full, firstSegment, files.freedTo);
    // The first file holds all there is: nothing would be gained by two.
    return new BlocksCheckpoint(core, directory, () => files.takeName(), full || files.count === 0, firstSegment);
  }

  /** Writes and syncs. @returns the entries in the manifest. */
  async #write(run: CheckpointRun): Promise<CheckpointFile[]> {
    try {
      await this.#options.jobs.run(() => run.step());
      return await run.finish();
    } catch (error) {
      run.abandon();
      throw error;
    }
  }

  #count(run: CheckpointRun, replaces: boolean): void {
    this.#last = Date.now() / 1000;
    this.#seconds = run.seconds;
    this.#written += run.bytes;
    if (!replaces) this.#lastBytes = run.bytes;
    this.#made++;
  }

  /** Removes checkpoint files whose samples all end before `to`, unix seconds. @returns their number. */
  dropFiles(to: number): Promise<number> {
    const { files, json } = this.#options;
    return this.exclusively(async () => files.drop(to) + ((await json?.drop(to)) ?? 0));
  }
}
