/**
 * A partition's log on disk: segments of bounded size, appended with one write for all batches that arrived together.
 *
 * A failed write (disk full, I/O error) may leave half a frame behind. The segment is then cut back to its last whole frame
 * if that is possible, and given up: the next append opens a new one, in which the core names every series again.
 */
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, writeAll } from './files.js';
import { removeFile, segmentName } from './layout.js';

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

interface Segment {
  number: number;
  bytes: number;
}

export class LogFile {
  readonly #directory: string;
  readonly #sync: WalSync;
  readonly #onSegment: () => void;
  #segments: Segment[];
  #next: number;
  #fd = -1;
  #unsynced = false;
  #syncing = false;
  #writes = 0;
  #syncs = 0;
  #syncSeconds = 0;
  #failed: string | null = null;

  /**
   * @param existing segments that were read at start and are still needed. @param next number of the first new one.
   * @param onSegment called when a new segment begins, before anything is written to it.
   */
  constructor(directory: string, sync: WalSync, existing: Segment[], next: number, onSegment: () => void) {
    this.#directory = directory;
    this.#sync = sync;
    this.#segments = existing;
    this.#next = next;
    this.#onSegment = onSegment;
  }

  /** Bytes of all segments that a checkpoint does not cover yet. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
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
    if (this.#fd >= 0) return;
    this.#attempt(() => {
      const number = this.#next;
      this.#fd = openSync(join(this.#directory, segmentName(number)), 'wx');
      this.#next = number + 1;
      this.#segments.push({ number, bytes: 0 });
      // A segment whose name is lost in a power cut is a lost segment.
      if (this.#sync !== 'off') syncDirectory(this.#directory);
      this.#onSegment();
    });
  }

  /**
   * Appends whole frames. @throws the file system's error; nothing of `bytes` counts as written then, and the
   * segment is closed: `open` begins a new one.
   */
  append(bytes: Uint8Array): void {
    const segment = this.#segments.at(-1);
    if (this.#fd < 0 || !segment) throw new Error('BUG: append to a log that is not open');
    this.#attempt(() => {
      try {
        writeAll(this.#fd, bytes);
      } catch (error) {
        this.#abandon(segment);
        throw error;
      }
    });
    segment.bytes += bytes.length;
    this.#writes++;
    this.#unsynced = true;
  }

  #attempt(action: () => void): void {
    try {
      action();
      this.#failed = null;
    } catch (error) {
      this.#failed = (error as Error).message;
      throw error;
    }
  }

  /** Cuts the segment back to what was written whole, and closes it. */
  #abandon(segment: Segment): void {
    try {
      ftruncateSync(this.#fd, segment.bytes);
    } catch {
      // Reading copes with a torn frame; the bytes are merely wasted.
    }
    this.#close();
  }

  #close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Ends the segment: what comes next goes to a new one. @returns the number of the new one. */
  rotate(): number {
    if (this.#fd >= 0) {
      this.syncNow();
      this.#close();
    }
    return this.#next;
  }

  /** Makes what was appended durable, off this thread; for `wal-sync: interval`. Errors show in `figures.failed`. */
  syncLater(): void {
    if (!this.#unsynced || this.#syncing || this.#fd < 0 || this.#sync === 'off') return;
    this.#syncing = true;
    this.#unsynced = false;
    const start = performance.now();
    const fd = this.#fd;
    fdatasync(fd, (error) => {
      this.#syncing = false;
      // The segment may have been rotated, and synced by that, meanwhile.
      if (error && fd === this.#fd) this.#failed = error.message;
      this.#count(start);
    });
  }

  /** Makes what was appended durable before it returns. @throws the file system's error. */
  syncNow(): void {
    if (!this.#unsynced || this.#fd < 0 || this.#sync === 'off') return;
    const start = performance.now();
    this.#attempt(() => fdatasyncSync(this.#fd));
    this.#unsynced = false;
    this.#count(start);
  }

  #count(start: number): void {
    this.#syncs++;
    this.#syncSeconds += (performance.now() - start) / 1000;
  }

  /** Removes segments below a number: a checkpoint covers them. */
  dropBelow(number: number): void {
    const [gone, kept] = [
      this.#segments.filter((s) => s.number < number),
      this.#segments.filter((s) => s.number >= number),
    ];
    this.#segments = kept;
    for (const segment of gone) removeFile(join(this.#directory, segmentName(segment.number)));
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
