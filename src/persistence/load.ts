/**
 * Reads a partition's samples back at start: first what other layouts left, then its own checkpoint files, then the log.
 * What cannot be trusted is skipped and reported with file and offset. A damaged file stays in place until a checkpoint
 * holds its good parts; then it is set aside.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Logger } from '../base/log.js';
import type { Core } from '../wasm/core.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import { type CheckpointFile, type Manifest, readManifest } from './checkpoint/manifest.js';
import { corruptName } from './damaged-files.js';
import { FIRST_SEGMENT, listCheckpoints, listSegments, MANIFEST } from './layout.js';
import { LoadProgress, type Progress } from './load-progress.js';
import type { Segment } from './log/log-file.js';
import { describeMissing, type Missing, missingSegments, type ReadSegment } from './missing.js';
import { isShelter } from './partition-directories.js';
import { type FileReport, reportFile, scanFile } from './scan-file.js';

export interface Loaded {
  manifest: Manifest;
  segments: Segment[];
  /** Number of the next log segment. */
  nextSegment: number;
  nextCheckpoint: number;
  /** Damage was found: the next checkpoint must be a full one. */
  damaged: boolean;
  /** Paths of files to be set aside once that checkpoint is safe. */
  aside: string[];
  /** Paths of files that hold hosts of other partitions, to be found by the next start once that checkpoint is safe. */
  foreign: string[];
  samples: number;
  /** What is not there although other files name it. */
  missing: Missing[];
  /** What was read, damaged files included. */
  read: { files: number; bytes: number };
}

/** Decides what is loaded of files that may hold more than fits into memory. */
export interface Room {
  /** Unix seconds: what ends before is left out. Later once there was no room for it. */
  readonly since: number;
  /** A time from which on samples are loaded: `since`, or later if there was no room for them. */
  from(since: number): number;
  /** Frees the oldest if too much is in use. Must not be called while a log segment is replayed: its series must stay. */
  keepBelow(): void;
  /** Runs a load, and repeats it with less until memory suffices. @throws its error when it never will. */
  retry<T>(load: () => T): T;
}

/** A directory, and what of it goes into which core. */
export interface Source {
  core: Core;
  directory: string;
  /** Says which blocks are left out: what is too old, or does not fit. */
  room: Room;
  /** Unix seconds: older samples of the log are left out. */
  logSince: number;
  /** It is of another layout: its blocks must be written again, and only a part of them is ours. */
  dirty: boolean;
  log: Logger;
  onProgress: Progress;
}

/** Reads one partition directory into the core. The thread does other things between two files. */
export async function loadDirectory(source: Source): Promise<Loaded> {
  const { core, directory, dirty } = source;
  const { manifest, isDamaged } = usableManifest(source);
  const needed = listSegments(directory).filter(({ number }) => number >= manifest.firstSegment);
  const reading = new Reading(source, [...manifest.files, ...needed], isDamaged);
  const files = await reading.checkpoints(manifest.files);
  core.files.checkpointLoadEnd();
  const { segments, found } = await reading.log(needed);
  // Another layout's directory is read by all partitions: one says so. What is sheltered is of several chains.
  if ((!dirty || core.index === 0) && !isShelter(directory)) {
    for (const file of missingSegments(manifest, found)) reading.miss(file);
  }
  const checkpoints = [...manifest.files, ...(manifest.kept ?? []), ...listCheckpoints(directory)];
  return {
    manifest: { ...manifest, files },
    segments,
    nextSegment: Math.max(
      manifest.firstSegment,
      (needed.at(-1)?.number ?? -1) + 1,
      (manifest.lastSegment?.number ?? -1) + 1,
      FIRST_SEGMENT,
    ),
    nextCheckpoint: Math.max(0, ...checkpoints.map(numberOf)) + 1,
    ...reading.outcome,
  };
}

/** The manifest, or one of all files that are there. */
function usableManifest({ directory, log }: Source): { manifest: Manifest; isDamaged: boolean } {
  const state = readManifest(directory);
  if (state.kind === 'read') return { manifest: withoutSuperseded(state.manifest, directory), isDamaged: false };
  const path = join(directory, MANIFEST);
  if (existsSync(path)) {
    // A copy is kept: while the damaged one is in place, the next start reads all files as well.
    const copy = corruptName(path);
    copyFileSync(path, copy);
    log.err(`${path}: can't be used (${state.why}); kept as ${basename(copy)}, all files are read`);
  } else log.warn(`${path}: ${state.why}: the first checkpoint was not finished, or it is lost; all files are read`);
  const files = listCheckpoints(directory).map(({ name }) => ({ name, bytes: 0, from: 0, to: Number.MAX_VALUE }));
  return { manifest: { version: 1, files, firstSegment: 0 }, isDamaged: true };
}

/** A directory while its files are read: what became of them. */
class Reading {
  readonly #source: Source;
  readonly #progress: LoadProgress;
  /** There was no manifest to say which files are whole. */
  readonly #withoutManifest: boolean;
  /** Number of the next file, of all that are to be read. */
  #next = 0;
  readonly outcome: Omit<Loaded, 'manifest' | 'segments' | 'nextSegment' | 'nextCheckpoint'>;

  constructor(source: Source, files: { name: string }[], withoutManifest: boolean) {
    const { directory, log, onProgress } = source;
    this.#source = source;
    this.#progress = new LoadProgress(directory, files, log, onProgress);
    this.#withoutManifest = withoutManifest;
    const read = { files: 0, bytes: 0 };
    this.outcome = { damaged: withoutManifest, aside: [], foreign: [], samples: 0, missing: [], read };
  }

  /** @returns those that can stay as they are. */
  async checkpoints(files: readonly CheckpointFile[]): Promise<CheckpointFile[]> {
    const { core, directory, room, dirty } = this.#source;
    const kept: CheckpointFile[] = [];
    for (const file of files) {
      await this.#begin();
      if (!existsSync(join(directory, file.name))) {
        this.miss({ name: file.name, isPart: false, ...spanOf(file), bytes: file.bytes, series: file.series });
        this.outcome.damaged = true;
        continue;
      }
      if (file.to <= room.since) {
        kept.push(file);
        continue;
      }
      // Its blocks need about so much memory. Of a file of another layout only a part is ours.
      if (!dirty) core.files.expectSamples(file.bytes);
      if (this.#checkpoint(file, file === files.at(-1))) kept.push(file);
    }
    return kept;
  }

  /** @returns whether the file can stay as it is. */
  #checkpoint(file: CheckpointFile, isLast: boolean): boolean {
    const { core, directory, room, dirty, log } = this.#source;
    const path = join(directory, file.name);
    let foreign = 0;
    const read = room.retry(() => {
      foreign = 0;
      return scanFile(core, path, FrameMagic.Checkpoint, (p, n) => {
        const { unsound, foreign: more } = core.files.checkpointLoad(p, n, room.since, dirty);
        foreign += more;
        this.#progress.frame(n);
        room.keepBelow();
        return unsound;
      });
    });
    const short = file.bytes - read.bytes;
    if (short > 0) this.miss({ name: file.name, isPart: true, ...spanOf(file), bytes: short, series: file.series });
    // Without a manifest the last file may be unfinished; then the log still holds all of it.
    const isDamaged = reportFile(path, read, log, this.#withoutManifest && isLast) || short > 0;
    return this.#sort(path, read.bytes, isDamaged, foreign);
  }

  /** @returns segments that can stay as they are, and all that were found. */
  async log(
    files: readonly { name: string; number: number }[],
  ): Promise<{ segments: Segment[]; found: ReadSegment[] }> {
    const segments: Segment[] = [];
    const found: ReadSegment[] = [];
    for (const { name, number } of files) {
      await this.#begin();
      const { read, isSound } = this.#segment(join(this.#source.directory, name));
      found.push({ number, bytes: read.bytes, header: read.header });
      if (isSound) segments.push({ number, bytes: read.bytes, head: read.headBytes, begun: read.header?.begun ?? 0 });
    }
    return { segments, found };
  }

  #segment(path: string): { read: FileReport; isSound: boolean } {
    const { core, room, logSince, log } = this.#source;
    let [stored, unnamed, foreign] = [0, 0, 0];
    const read = room.retry(() => {
      [stored, unnamed, foreign] = [0, 0, 0];
      core.files.replayBegin();
      return scanFile(core, path, FrameMagic.Log, (p, n) => {
        const frame = core.files.replayFrame(p, n, room.from(logSince));
        stored += frame.stored;
        unnamed += frame.unnamed;
        foreign += frame.foreign;
        this.#progress.frame(n);
        return frame.sound ? 0 : 1;
      });
    });
    room.keepBelow();
    this.outcome.samples += stored;
    if (unnamed) log.err(`${path}: ${unnamed} samples are left out: what named their series is damaged`);
    return { read, isSound: this.#sort(path, read.bytes, reportFile(path, read, log, true), foreign) };
  }

  /** The next file is read, after what else the thread has to do. */
  async #begin(): Promise<void> {
    await immediate();
    this.#progress.file(this.#next++);
  }

  /** Decides what becomes of a file that was read. @param foreign series of other partitions. @returns whether it can stay. */
  #sort(path: string, bytes: number, isDamaged: boolean, foreign: number): boolean {
    const { outcome } = this;
    outcome.read.files++;
    outcome.read.bytes += bytes;
    const isForeign = !this.#source.dirty && foreign > 0;
    if (isForeign) {
      this.#source.log.err(`${path}: holds ${foreign} series of other partitions, which the next start will load`);
      outcome.foreign.push(path);
    } else if (isDamaged) outcome.aside.push(path);
    outcome.damaged ||= isDamaged || isForeign;
    return !isDamaged && !isForeign;
  }

  /** Notes and reports that something is not there. */
  miss(file: Missing): void {
    const { directory, log } = this.#source;
    this.outcome.missing.push(file);
    log.err(`${directory}: ${describeMissing(file)}`);
  }
}

function spanOf({ from, to }: CheckpointFile): { from: number | undefined; to: number | undefined } {
  // Without a manifest it is not known.
  return to === Number.MAX_VALUE ? { from: undefined, to: undefined } : { from, to };
}

function numberOf({ name }: { name: string }): number {
  return Number.parseInt(name, 10);
}

/** A directory that was superseded, and kept for the archive alone, begins anew: its files are not loaded. */
function withoutSuperseded(manifest: Manifest, directory: string): Manifest {
  const { keptUntil: until, files, kept = [] } = manifest;
  if (until === undefined) return manifest;
  const last = listSegments(directory).at(-1)?.number ?? 0;
  return {
    version: 1,
    files: [],
    firstSegment: Math.max(manifest.firstSegment, last + 1),
    kept: [...kept, ...files.map((file) => ({ ...file, until }))],
  };
}
