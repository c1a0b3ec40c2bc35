/**
 * Reads a partition's samples back at start: first what other layouts left, then its own checkpoint files, then the log.
 * Whatever cannot be trusted is skipped, reported with file and offset, and kept: a file with damage is to be set aside
 * once a checkpoint holds its good parts, not before.
 */
import { closeSync, copyFileSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CHECKPOINT_MAGIC, type Core, LOG_MAGIC } from '../core/instance.js';
import type { Logger } from '../log.js';
import {
  corruptName,
  FIRST_SEGMENT,
  listCheckpoints,
  listSegments,
  MANIFEST,
  type Manifest,
  readManifest,
} from './layout.js';
import type { LoadRoom } from './load-room.js';

const CHUNK = 1 << 20;
const PROGRESS_EVERY_MS = 5000;

export interface Loaded {
  manifest: Manifest;
  segments: { number: number; bytes: number }[];
  /** Number of the next log segment. */
  nextSegment: number;
  nextCheckpoint: number;
  /** Damage was found: the next checkpoint must be a full one. */
  damaged: boolean;
  /** Paths of files to be set aside once that checkpoint is safe. */
  aside: string[];
  samples: number;
}

export interface Gap {
  offset: number;
  length: number;
}

export interface FileReport {
  bytes: number;
  /** Stretches that held no whole frame, in order; no two of them touch. */
  gaps: Gap[];
  wholeUntil: number;
  unsound: number;
  /** The last gap is what a write leaves that was interrupted: the beginning of a frame. */
  isTorn: boolean;
  /** The disk did not give all of it. */
  error?: Error;
}

/** What a medium answers that has lost a file, and not an admin who has kept it from us. */
const BROKEN = new Set(['EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG']);
const FRAME_HEADER = 16;

/** Runs `onFrame` for each whole frame of a file. @throws when the file can't be opened, or must not be read. */
export function scanFile(
  core: Core,
  path: string,
  magic: number,
  onFrame: (p: number, n: number) => number,
): FileReport {
  const fd = openSync(path, 'r');
  const gaps: Gap[] = [];
  const bytes = fstatSync(fd).size;
  let unsound = 0;
  let wholeUntil = 0;
  try {
    wholeUntil = core.scanFrames(
      magic,
      Math.min(CHUNK, Math.max(bytes, 64)),
      (into, offset) => readSync(fd, into, 0, into.length, offset),
      (p, n) => {
        unsound += onFrame(p, n);
      },
      (offset, length) => {
        const last = gaps.at(-1);
        if (last && last.offset + last.length === offset) last.length += length;
        else gaps.push({ offset, length });
      },
      bytes,
    );
    return { bytes, gaps, wholeUntil, unsound, isTorn: isTorn(fd, bytes, magic, gaps.at(-1)) };
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return { bytes, gaps, wholeUntil, unsound, isTorn: false, error: error as Error };
  } finally {
    closeSync(fd);
  }
}

/** Whether a gap at the end of a file is the beginning of a frame whose rest was never written. */
function isTorn(fd: number, bytes: number, magic: number, gap: Gap | undefined): boolean {
  if (!gap || gap.offset + gap.length < bytes) return false;
  const head = Buffer.alloc(FRAME_HEADER);
  const n = readSync(fd, head, 0, Math.min(FRAME_HEADER, gap.length), gap.offset);
  const expected = Buffer.alloc(4);
  expected.writeUInt32LE(magic);
  if (!head.subarray(0, n).subarray(0, 4).equals(expected.subarray(0, n))) return false;
  return n < FRAME_HEADER || FRAME_HEADER + head.readUInt32LE(4) > gap.length;
}

/** Says what was wrong with a file; returns whether anything but a torn tail was. */
function report(path: string, file: FileReport, log: Logger, tornIsNormal: boolean): boolean {
  let damaged = file.unsound > 0 || file.error !== undefined;
  if (file.error) log.err(`${path}: can't be read behind byte ${file.wholeUntil}`, file.error);
  if (file.unsound)
    log.err(`${path}: ${file.unsound} records hold no sense although their checksum is right; left out`);
  for (const gap of file.gaps) {
    if (tornIsNormal && file.isTorn && gap === file.gaps.at(-1)) {
      log.warn(
        `${path}: torn at byte ${gap.offset}, the last ${gap.length} bytes are cut off; everything before them is kept`,
      );
    } else {
      damaged = true;
      log.err(
        `${path}: ${gap.length} bytes at byte ${gap.offset} are damaged; everything before and behind them is kept`,
      );
    }
  }
  return damaged;
}

/**
 * Reads one partition directory into the core.
 * @param room says which blocks are left out: what is too old, or does not fit.
 * @param logSince unix seconds: older samples of the log are left out.
 * @param dirty its blocks must be written again (another layout's).
 */
export function loadDirectory(
  core: Core,
  directory: string,
  room: LoadRoom,
  logSince: number,
  dirty: boolean,
  log: Logger,
): Loaded {
  const state = readManifest(directory);
  let damaged = false;
  let manifest: Manifest = { version: 1, files: [], firstSegment: 0 };
  if (state.kind === 'damaged') {
    const path = join(directory, MANIFEST);
    if (existsSync(path)) {
      // A copy: as long as it stands there, the next start reads all files as well.
      const copy = corruptName(path);
      copyFileSync(path, copy);
      log.err(`${path}: can't be used (${state.why}); kept as ${basename(copy)}, all files are read`);
    } else log.warn(`${path}: ${state.why}: the first checkpoint was not finished, or it is lost; all files are read`);
    damaged = true;
    manifest.files = listCheckpoints(directory).map(({ name }) => ({ name, bytes: 0, from: 0, to: Number.MAX_VALUE }));
  } else manifest = withoutSuperseded(state.manifest, directory);

  let samples = 0;
  let said = Date.now();
  const kept: Manifest['files'] = [];
  const aside: string[] = [];
  for (const [i, file] of manifest.files.entries()) {
    const path = join(directory, file.name);
    if (!existsSync(path)) {
      log.err(`${path}: named in the manifest, but missing`);
      damaged = true;
      continue;
    }
    if (file.to <= room.since) {
      kept.push(file);
      continue;
    }
    const read = room.retry(() =>
      scanFile(core, path, CHECKPOINT_MAGIC, (p, n) => {
        const { unsound } = core.checkpointLoad(p, n, room.since, dirty);
        room.keepBelow();
        return unsound;
      }),
    );
    const short = read.bytes < file.bytes;
    if (short) log.err(`${path}: ${read.bytes} bytes long, ${file.bytes} were written`);
    // Without a manifest the last one may be unfinished, and holds nothing then that the log does not.
    const mayBeTorn = state.kind === 'damaged' && i === manifest.files.length - 1;
    if (report(path, read, log, mayBeTorn) || short) {
      aside.push(path);
      damaged = true;
    } else kept.push(file);
    if (Date.now() - said > PROGRESS_EVERY_MS) {
      said = Date.now();
      log.info(`${directory}: ${i + 1} of ${manifest.files.length} checkpoint files read`);
    }
  }

  const segments: Loaded['segments'] = [];
  const all = listSegments(directory);
  for (const [i, { name, number }] of all.entries()) {
    const path = join(directory, name);
    if (number < manifest.firstSegment) continue;
    let stored = 0;
    let unnamed = 0;
    const read = room.retry(() => {
      stored = 0;
      unnamed = 0;
      core.replayBegin();
      return scanFile(core, path, LOG_MAGIC, (p, n) => {
        const frame = core.replayFrame(p, n, room.from(logSince));
        stored += frame.stored;
        unnamed += frame.unnamed;
        return frame.sound ? 0 : 1;
      });
    });
    room.keepBelow();
    samples += stored;
    if (unnamed) log.err(`${path}: ${unnamed} samples are left out: what named their series is damaged`);
    if (report(path, read, log, true)) {
      aside.push(path);
      damaged = true;
    } else segments.push({ number, bytes: read.bytes });
    if (Date.now() - said > PROGRESS_EVERY_MS) {
      said = Date.now();
      log.info(`${directory}: ${i + 1} of ${all.length} log segments read, ${samples} samples`);
    }
  }
  return {
    manifest: { ...manifest, files: kept },
    segments,
    nextSegment: Math.max(manifest.firstSegment, (all.at(-1)?.number ?? -1) + 1, FIRST_SEGMENT),
    nextCheckpoint:
      Math.max(0, ...[...manifest.files, ...(manifest.kept ?? []), ...listCheckpoints(directory)].map(numberOf)) + 1,
    damaged,
    aside,
    samples,
  };
}

function numberOf({ name }: { name: string }): number {
  return Number.parseInt(name, 10);
}

/** A directory that other numbers of partitions had superseded, and that was kept for the archive alone, begins anew. */
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
