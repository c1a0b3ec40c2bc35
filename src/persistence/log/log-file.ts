/**
 * A partition's log on disk: segments of bounded size, appended with one write for all batches that arrived together.
 *
 * A failed write (disk full, I/O error) may leave half a frame at the end. The segment is then cut back to its last whole
 * frame if that is possible, and closed: the next append opens a new one, in which the core names every series again. A
 * failed sync ends the segment too: the kernel drops what it could not write, and a later sync says nothing about it.
 */
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync } from 'node:fs';
import { basename, join } from 'node:path';
import { removeFile, syncDirectory, writeAll } from '../files.js';
import { listSegments, segmentName } from '../layout.js';

export type WalSync = 'always' | 'interval' | 'off';

export interface LogFigures {
  /** Bytes of all segments that are still needed. */
  bytes: number;
  segments: number;
  writes: number;
  syncs: number;
  syncSeconds: number;
  failed: string | null;
}

export interface Segment {
  number: number;
  bytes: number;
  /** Bytes before its first batch. */
  head: number;
  /** Unix seconds; 0: unknown. */
  begun: number;
}

/**
 * Told of a new segment, before anything is written to it. @param before the one that it follows. @returns what it begins with, a
 * view.
 */
export type OnSegment = (segment: Segment, before: Segment | undefined) => Uint8Array | undefined;

export class LogFile {
  readonly #directory: string;
  readonly #sync: WalSync;
  readonly #onSegment: OnSegment;
  #segments: Segment[];
  #next: number;
  #fd = -1;
  /** What the open segment is to begin with. */
  #head: Uint8Array | undefined;
  /** Nothing of what the open segment was to hold has been written. */
  #beginsAnew = false;
  #unsynced = false;
  #syncing = false;
  /** A segment that may have lost bytes on its way to the disk. */
  #doubtful: number | undefined;
  #writes = 0;
  #syncs = 0;
  #syncSeconds = 0;
  #failed: string | null = null;

  /**
   * @param existing segments that were read at start and are still needed. @param next number of the first new one.
   */
  constructor(directory: string, sync: WalSync, existing: Segment[], next: number, onSegment: OnSegment) {
    this.#directory = directory;
    this.#sync = sync;
    this.#segments = existing;
    this.#next = next;
    this.#onSegment = onSegment;
  }

  /** Bytes of all batches that a checkpoint does not cover yet. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes, head }) => sum + bytes - head, 0);
  }

  /** The disk may have lost bytes of acknowledged writes: a checkpoint should hold them soon. */
  get isDoubtful(): boolean {
    return this.#doubtful !== undefined;
  }

  get figures(): LogFigures {
    return {
      bytes: this.bytes,
      segments: this.#segments.length,
      writes: this.#writes,
      syncs: this.#syncs,
      syncSeconds: this.#syncSeconds,
      failed: this.#failed,
    };
  }

  /**
   * Makes sure that a segment is open, so that frames made from now on can be appended.
   * @throws the file system's error.
   */
  open(): void {
    if (this.#fd >= 0) {
      const segment = this.#segments.at(-1);
      if (!this.#beginsAnew || !segment) return;
      this.#begin(segment, this.#segments.at(-2));
      return;
    }
    const number = this.#next;
    this.#attempt(number, () => {
      const fd = openSync(this.#path(number), 'ax');
      this.#next = number + 1;
      const segment: Segment = { number, bytes: 0, head: 0, begun: Date.now() / 1000 };
      try {
        // A segment whose name is lost in a power cut is a lost segment.
        if (this.#sync !== 'off') syncDirectory(this.#directory);
        this.#begin(segment, this.#segments.at(-1));
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      this.#fd = fd;
      this.#segments.push(segment);
    });
  }

  #begin(segment: Segment, before: Segment | undefined): void {
    this.#head = this.#onSegment(segment, before)?.slice();
    this.#beginsAnew = false;
  }

  /** The open segment; undefined: none is open. */
  get current(): { number: number; begun: number } | undefined {
    const segment = this.#segments.at(-1);
    return this.#fd >= 0 && segment ? { number: segment.number, begun: segment.begun } : undefined;
  }

  /**
   * Appends whole frames. @throws the file system's error; nothing of `bytes` counts as written then, and the
   * segment is closed: `open` begins a new one.
   */
  append(bytes: Uint8Array): void {
    const segment = this.#segments.at(-1);
    if (this.#fd < 0 || !segment) throw new Error('BUG: append to a log that is not open');
    this.#attempt(segment.number, () => {
      try {
        if (segment.bytes === 0 && this.#head) {
          writeAll(this.#fd, this.#head);
          segment.head = this.#head.length;
        }
        writeAll(this.#fd, bytes);
      } catch (error) {
        this.#abandon(segment);
        throw error;
      }
    });
    if (segment.bytes === 0) segment.bytes = segment.head;
    segment.bytes += bytes.length;
    this.#writes++;
    this.#unsynced = true;
  }

  #path(number: number): string {
    return join(this.#directory, segmentName(number));
  }

  /** Errors name the segment, and stay in the figures until something succeeds. */
  #attempt(number: number, action: () => void): void {
    try {
      action();
      this.#failed = null;
    } catch (error) {
      const { message } = error as Error;
      const path = this.#path(number);
      this.#failed = message.includes(basename(path)) ? message : `${path}: ${message}`;
      throw new Error(this.#failed, { cause: error });
    }
  }

  /**
   * Cuts the segment back to what was written whole, and closes it. An empty one stays open, for a full disk would make many, or is
   * removed.
   */
  #abandon(segment: Segment): void {
    try {
      ftruncateSync(this.#fd, segment.bytes);
      if (!segment.bytes) {
        this.#beginsAnew = true;
        return;
      }
    } catch {
      // Reading copes with a torn frame; the bytes are merely wasted.
    }
    try {
      if (this.#mustSync) fdatasyncSync(this.#fd);
    } catch {
      this.#doubtful = segment.number;
    }
    this.#close();
    if (segment.bytes) return;
    this.#segments.pop();
    try {
      removeFile(this.#path(segment.number));
      this.#next = segment.number;
    } catch {
      // It stays, empty; the next one has another number.
    }
  }

  /** Nothing more is appended to the segment: what it holds may be incomplete. */
  #distrust(segment: Segment): void {
    this.#doubtful = segment.number;
    this.#close();
  }

  #close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#unsynced = false;
    closeSync(fd);
  }

  /** Whether bytes were appended that no finished sync covers: one that is under way may end after the segment is closed. */
  get #mustSync(): boolean {
    return (this.#unsynced || this.#syncing) && this.#fd >= 0 && this.#sync !== 'off';
  }

  /** Ends the segment: what comes next goes to a new one. @returns the number of the new one. */
  rotate(): number {
    try {
      this.syncNow();
    } catch {
      // The checkpoint that asks for this repairs it; `figures.failed` and `isDoubtful` tell.
    }
    this.#close();
    return this.#next;
  }

  /** Makes what was appended durable, off this thread; for `wal-sync: interval`. Errors show in `figures.failed`. */
  syncLater(): void {
    if (!this.#unsynced || this.#syncing || this.#fd < 0 || this.#sync === 'off') return;
    this.#syncing = true;
    this.#unsynced = false;
    const start = performance.now();
    const segment = this.#segments.at(-1);
    fdatasync(this.#fd, (error) => {
      this.#syncing = false;
      this.#count(start);
      // The segment may have ended meanwhile, and been synced by that.
      if (!error || !segment || this.#fd < 0 || segment !== this.#segments.at(-1)) return;
      this.#failed = `${this.#path(segment.number)}: ${error.message}`;
      this.#distrust(segment);
    });
  }

  /** Makes what was appended durable before it returns. @throws the file system's error; the segment has ended then. */
  syncNow(): void {
    const segment = this.#segments.at(-1);
    if (!this.#mustSync || !segment) return;
    const start = performance.now();
    this.#attempt(segment.number, () => {
      try {
        fdatasyncSync(this.#fd);
      } catch (error) {
        this.#distrust(segment);
        throw error;
      }
    });
    this.#unsynced = false;
    this.#count(start);
  }

  /**
   * Makes all that was ever appended, and is not in a checkpoint yet, durable before it returns. @throws the file system's error, or
   * that of an earlier sync: what the disk has lost then is safe again only once a checkpoint holds it.
   */
  syncAll(): void {
    this.syncNow();
    if (this.#doubtful === undefined) return;
    throw new Error(`${this.#path(this.#doubtful)}: a sync has failed, and no checkpoint has been made since`);
  }

  #count(start: number): void {
    this.#syncs++;
    this.#syncSeconds += (performance.now() - start) / 1000;
  }

  /** Removes segments below a number, also those that an interrupted start left: a checkpoint covers them. */
  dropBelow(number: number): void {
    this.#segments = this.#segments.filter((segment) => segment.number >= number);
    if (this.#doubtful !== undefined && this.#doubtful < number) this.#doubtful = undefined;
    for (const segment of listSegments(this.#directory)) {
      if (segment.number < number) removeFile(this.#path(segment.number));
    }
  }

  /** Syncs and closes; the log can't be used afterwards. */
  close(): void {
    if (this.#fd < 0) return;
    try {
      this.syncNow();
    } finally {
      this.#close();
    }
  }
}
