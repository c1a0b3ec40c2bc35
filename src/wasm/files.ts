/** Makes and reads the frames of log segments and checkpoint files (docs/formats.md). */

import { type Instance, type MemoryView, outOfMemory } from './instance.js';
import { readSpan } from './span.js';
import { type CheckpointContent, type FrameMagic, FrameSearch, Replay, SeriesStep } from './tables/codes.js';
import { FoundField, FrameField, LoadedField, ReplayedField, WrittenField } from './tables/layouts.js';

export class Files {
  readonly #instance: Instance;
  readonly #index: number;
  readonly #partitions: number;

  /** @param index of the partition among `partitions`: decides which hosts are taken. */
  constructor(instance: Instance, index: number, partitions: number) {
    this.#instance = instance;
    this.#index = index;
    this.#partitions = partitions;
  }

  /**
   * Reads what a file holds: calls `onFrame` for each whole frame, `skip` for what lies between.
   * @param read fills a buffer from a file offset and returns the bytes read, 0 at the end.
   * @param chunk bytes read at a time. @param size of the file: a frame that claims more is damaged.
   * @returns offset after the last whole frame.
   */
  scanFrames(
    magic: FrameMagic,
    chunk: number,
    read: (into: Uint8Array, offset: number) => number,
    onFrame: (payload: number, length: number) => void,
    skip: (offset: number, length: number) => void,
    size = Number.MAX_SAFE_INTEGER,
  ): number {
    const x = this.#instance.exports;
    const found = (field: FoundField): number => this.#instance.u32(x.found.value + field);
    let room = chunk;
    let offset = 0;
    let kept = 0;
    let wholeUntil = 0;
    let last = false;
    let p = this.#instance.reserve(room);
    while (true) {
      while (kept < room && !last) {
        const n = read(this.#instance.bytes.subarray(p + kept, p + room), offset + kept);
        if (n === 0) last = true;
        kept += n;
      }
      let at = p;
      const end = p + kept;
      const rest = last ? 0 : Math.max(1, size - offset - kept);
      let search: FrameSearch = x.nextFrame(at, end, magic, rest);
      while (search === FrameSearch.Found) {
        const frame = found(FoundField.At);
        const length = found(FoundField.Length);
        const skipped = found(FoundField.Skipped);
        if (skipped) skip(offset + (at - p), skipped);
        onFrame(frame + FrameField.Payload, length);
        at = frame + FrameField.Payload + length;
        wholeUntil = offset + (at - p);
        search = x.nextFrame(at, end, magic, rest);
      }
      const frame = found(FoundField.At);
      if (search === FrameSearch.None) {
        if (end > at) skip(offset + (at - p), end - at);
        return wholeUntil;
      }
      const skipped = found(FoundField.Skipped);
      if (skipped) skip(offset + (at - p), skipped);
      // The unfinished frame moves to the front, with room for all of it.
      const needed = found(FoundField.Needed);
      offset += frame - p;
      kept = end - frame;
      if (Math.max(chunk, needed) <= room) this.#instance.bytes.copyWithin(p, frame, end);
      else {
        const begun = this.#instance.bytes.slice(frame, end);
        room = needed;
        p = this.#instance.reserve(room);
        this.#instance.bytes.set(begun, p);
      }
    }
  }

  /** Makes a frame of parts, one after the other. @returns its bytes as a view. @throws StoreError OUT_OF_MEMORY. */
  frame(magic: FrameMagic, parts: readonly Uint8Array[]): MemoryView {
    const length = parts.reduce((n, part) => n + part.length, 0);
    const p = this.#instance.reserve(FrameField.Payload + length);
    const { bytes } = this.#instance;
    let at = p + FrameField.Payload;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#instance.exports.sealFrame(p, length, magic);
    return this.#instance.bytes.subarray(p, at);
  }

  /** A frame's payload as a view; see `scanFrames`. */
  payload(p: number, n: number): MemoryView {
    return this.#instance.bytes.subarray(p, p + n);
  }

  /** A new log file begins. */
  replayBegin(): void {
    this.#instance.exports.replayBegin();
  }

  /**
   * Stores a log frame's samples; see `scanFrames`. @returns samples stored and left out, `unnamed` of these because no frame
   * before names their series; `foreign` series of other partitions are named; `sound` false: it made no sense.
   */
  replayFrame(
    payload: number,
    length: number,
    since: number,
  ): { stored: number; leftOut: number; unnamed: number; foreign: number; sound: boolean } {
    const x = this.#instance.exports;
    const result: Replay = x.replayFrame(payload, length, since, this.#index, this.#partitions);
    if (result === Replay.OutOfMemory) throw outOfMemory();
    return {
      stored: this.#replayed(ReplayedField.Stored),
      leftOut: this.#replayed(ReplayedField.LeftOut),
      unnamed: this.#replayed(ReplayedField.Unnamed),
      foreign: this.#replayed(ReplayedField.Foreign),
      sound: result === Replay.Done,
    };
  }

  /** `free` records that were replayed: what they freed is still in older checkpoint files. */
  get replayedFrees(): number {
    return this.#replayed(ReplayedField.Frees);
  }

  #replayed(field: ReplayedField): number {
    return this.#instance.u32(this.#instance.exports.replayed.value + field);
  }

  /** Makes room for about so many bytes of samples at once, rather than bit by bit while they come. */
  expectSamples(bytes: number): void {
    this.#instance.exports.expectSamples(bytes);
  }

  /**
   * Takes a checkpoint frame's blocks. @param dirty they belong into the next checkpoint. @returns blocks that were unsound, and
   * series of other partitions, which are left out.
   */
  checkpointLoad(
    payload: number,
    length: number,
    since: number,
    dirty: boolean,
  ): { series: number; unsound: number; foreign: number } {
    if (!this.#instance.exports.checkpointLoad(payload, length, since, this.#index, this.#partitions, dirty ? 1 : 0))
      throw outOfMemory();
    const loaded = this.#instance.exports.loaded.value;
    return {
      series: this.#instance.u32(loaded + LoadedField.Series),
      unsound: this.#instance.u32(loaded + LoadedField.Unsound),
      foreign: this.#instance.u32(loaded + LoadedField.Foreign),
    };
  }

  /** All files of a directory are read, its log comes next: blocks that were open when they were written grow on. */
  checkpointLoadEnd(): void {
    this.#instance.exports.checkpointLoadEnd();
  }

  /** Loading leaves out blocks that begin at this time or later, unix seconds. */
  loadUntil(time: number): void {
    this.#instance.exports.loadUntil(time);
  }

  /** Loading is over. */
  loadEnd(): void {
    this.#instance.exports.loadEnd();
    this.#instance.releaseStaging();
  }

  /** Starts a checkpoint's file; go on with `checkpointStep` from 0. Of several the open blocks' is the first. */
  checkpointBegin(): void {
    this.#instance.exports.checkpointBegin();
  }

  /**
   * The next frame of the file. @returns its bytes as a view (maybe none) and the cursor to go on with, -1 at the end.
   */
  checkpointStep(cursor: number, budget: number, part: CheckpointContent): { bytes: MemoryView; next: number } {
    this.#instance.exports.outReset();
    const next = this.#instance.exports.checkpointStep(cursor, budget, part);
    if (next === SeriesStep.OutOfMemory) throw outOfMemory();
    return { bytes: this.#instance.output(), next };
  }

  /** Span of the samples in the file just made, unix seconds; from > to: none. */
  get checkpointSpan(): { from: number; to: number } {
    return readSpan(this.#instance, this.#instance.exports.checkpointSpan.value);
  }

  /** Series in it. */
  get checkpointSeries(): number {
    return this.#instance.u32(this.#instance.exports.checkpointSpan.value + WrittenField.Series);
  }

  /** The next checkpoint writes everything. */
  checkpointForget(): void {
    this.#instance.exports.checkpointForget();
  }
}
