/**
 * Reads a partition's samples back at start: first what other layouts left, then its own checkpoint files, then the log.
 * What cannot be trusted is skipped and reported with file and offset. A damaged file stays in place until a checkpoint
 * holds its good parts; then it is set aside.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Logger } from '../log.js';
import type { Core } from '../wasm/core.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import { type CheckpointFile, type Manifest, readManifest } from './checkpoint/manifest.js';
import { corruptName } from './damaged-files.js';
import { FIRST_SEGMENT, listCheckpoints, listSegments, MANIFEST } from './layout.js';
import { LoadProgress, type Progress } from './load-progress.js';
import type { Segment } from './log/log-file.js';
import { describeMissing, type Missing, missingSegments, type ReadSegment } from './missing.js';
import { isShelter } from './partition-directories.js';
import { reportFile, scanFile } from './scan-file.js';

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

/**
 * Reads one partition directory into the core. The thread does other things between two files.
 * @param room says which blocks are left out: what is too old, or does not fit.
 * @param logSince unix seconds: older samples of the log are left out.
 * @param dirty its blocks must be written again (another layout's).
 */
export async function loadDirectory(
  core: Core,
  directory: string,
  room: Room,
  logSince: number,
  dirty: boolean,
  log: Logger,
  onProgress: Progress = () => {},
): Promise<Loaded> {
  const state = readManifest(directory);
  let damaged = false;
  let manifest: Manifest = { version: 1, files: [], firstSegment: 0 };
  if (state.kind === 'damaged') {
    const path = join(directory, MANIFEST);
    if (existsSync(path)) {
      // A copy is kept: while the damaged one is in place, the next start reads all files as well.
      const copy = corruptName(path);
      copyFileSync(path, copy);
      log.err(`${path}: can't be used (${state.why}); kept as ${basename(copy)}, all files are read`);
    } else log.warn(`${path}: ${state.why}: the first checkpoint was not finished, or it is lost; all files are read`);
    damaged = true;
    manifest.files = listCheckpoints(directory).map(({ name }) => ({ name, bytes: 0, from: 0, to: Number.MAX_VALUE }));
  } else manifest = withoutSuperseded(state.manifest, directory);

  let samples = 0;
  const needed = listSegments(directory).filter(({ number }) => number >= manifest.firstSegment);
  const progress = new LoadProgress(directory, [...manifest.files, ...needed], log, onProgress);
  const missing: Missing[] = [];
  const miss = (file: Missing): void => {
    missing.push(file);
    log.err(`${directory}: ${describeMissing(file)}`);
  };
  const kept: Manifest['files'] = [];
  const aside: string[] = [];
  const withForeign: string[] = [];
  const all = { files: 0, bytes: 0 };
  for (const [i, file] of manifest.files.entries()) {
    await immediate();
    progress.file(i);
    const path = join(directory, file.name);
    if (!existsSync(path)) {
      miss({ name: file.name, isPart: false, ...spanOf(file), bytes: file.bytes, series: file.series });
      damaged = true;
      continue;
    }
    if (file.to <= room.since) {
      kept.push(file);
      continue;
    }
    // Its blocks need about so much memory. Of a file of another layout only a part is ours.
    if (!dirty) core.files.expectSamples(file.bytes);
    let foreign = 0;
    const read = room.retry(() => {
      foreign = 0;
      return scanFile(core, path, FrameMagic.Checkpoint, (p, n) => {
        const { unsound, foreign: more } = core.files.checkpointLoad(p, n, room.since, dirty);
        foreign += more;
        progress.frame(n);
        room.keepBelow();
        return unsound;
      });
    });
    all.files++;
    all.bytes += read.bytes;
    const short = read.bytes < file.bytes;
    if (short)
      miss({ name: file.name, isPart: true, ...spanOf(file), bytes: file.bytes - read.bytes, series: file.series });
    // Without a manifest the last file may be unfinished; then the log still holds all of it.
    const mayBeTorn = state.kind === 'damaged' && i === manifest.files.length - 1;
    const isDamaged = reportFile(path, read, log, mayBeTorn) || short;
    if (!dirty && reportForeign(path, foreign, log)) withForeign.push(path);
    else if (isDamaged) aside.push(path);
    else kept.push(file);
    damaged ||= isDamaged || withForeign.includes(path);
  }
  core.files.checkpointLoadEnd();

  const segments: Loaded['segments'] = [];
  const found: ReadSegment[] = [];
  for (const [i, { name, number }] of needed.entries()) {
    await immediate();
    progress.file(manifest.files.length + i);
    const path = join(directory, name);
    let stored = 0;
    let unnamed = 0;
    let foreign = 0;
    const read = room.retry(() => {
      stored = 0;
      unnamed = 0;
      foreign = 0;
      core.files.replayBegin();
      return scanFile(core, path, FrameMagic.Log, (p, n) => {
        const frame = core.files.replayFrame(p, n, room.from(logSince));
        stored += frame.stored;
        unnamed += frame.unnamed;
        foreign += frame.foreign;
        progress.frame(n);
        return frame.sound ? 0 : 1;
      });
    });
    room.keepBelow();
    all.files++;
    all.bytes += read.bytes;
    samples += stored;
    if (unnamed) log.err(`${path}: ${unnamed} samples are left out: what named their series is damaged`);
    found.push({ number, bytes: read.bytes, header: read.header });
    const isDamaged = reportFile(path, read, log, true);
    if (!dirty && reportForeign(path, foreign, log)) withForeign.push(path);
    else if (isDamaged) aside.push(path);
    else segments.push({ number, bytes: read.bytes, head: read.headBytes, begun: read.header?.begun ?? 0 });
    damaged ||= isDamaged || withForeign.includes(path);
  }
  // Another layout's directory is read by all partitions: one says so. What is sheltered is of several chains.
  if ((!dirty || core.index === 0) && !isShelter(directory)) missingSegments(manifest, found).forEach(miss);
  return {
    manifest: { ...manifest, files: kept },
    segments,
    nextSegment: Math.max(
      manifest.firstSegment,
      (needed.at(-1)?.number ?? -1) + 1,
      (manifest.lastSegment?.number ?? -1) + 1,
      FIRST_SEGMENT,
    ),
    nextCheckpoint:
      Math.max(0, ...[...manifest.files, ...(manifest.kept ?? []), ...listCheckpoints(directory)].map(numberOf)) + 1,
    damaged,
    aside,
    foreign: withForeign,
    samples,
    missing,
    read: all,
  };
}

function spanOf({ from, to }: CheckpointFile): { from: number | undefined; to: number | undefined } {
  // Without a manifest it is not known.
  return to === Number.MAX_VALUE ? { from: undefined, to: undefined } : { from, to };
}

/** Says that a file which does not name its partition holds series of others. @returns whether it does. */
function reportForeign(path: string, series: number, log: Logger): boolean {
  if (series) log.err(`${path}: holds ${series} series of other partitions, which the next start will load`);
  return series > 0;
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
