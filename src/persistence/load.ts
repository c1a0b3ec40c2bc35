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

export interface FileReport {
  bytes: number;
  /** Stretches that held no whole frame. */
  gaps: { offset: number; length: number }[];
  wholeUntil: number;
  unsound: number;
}

/** Runs `onFrame` for each whole frame of a file. @throws when the file can't be read at all. */
export function scanFile(
  core: Core,
  path: string,
  magic: number,
  onFrame: (p: number, n: number) => number,
): FileReport {
  const fd = openSync(path, 'r');
  const gaps: FileReport['gaps'] = [];
  let unsound = 0;
  try {
    const bytes = fstatSync(fd).size;
    const wholeUntil = core.scanFrames(
      magic,
      Math.min(CHUNK, Math.max(bytes, 64)),
      (into, offset) => readSync(fd, into, 0, into.length, offset),
      (p, n) => {
        unsound += onFrame(p, n);
      },
      (offset, length) => gaps.push({ offset, length }),
    );
    return { bytes, gaps, wholeUntil, unsound };
  } finally {
    closeSync(fd);
  }
}

/** Says what was wrong with a file; returns whether anything but a torn tail was. */
function report(path: string, file: FileReport, log: Logger, tornIsNormal: boolean): boolean {
  let damaged = file.unsound > 0;
  if (file.unsound)
    log.err(`${path}: ${file.unsound} records hold no sense although their checksum is right; left out`);
  for (const gap of file.gaps) {
    const torn = gap.offset + gap.length >= file.bytes;
    if (torn && tornIsNormal) {
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
 * @param since unix seconds: older blocks are left out. @param logSince older samples of the log are left out.
 * @param dirty its blocks must be written again (another layout's).
 */
export function loadDirectory(
  core: Core,
  directory: string,
  since: number,
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
    } else log.err(`${path}: ${state.why}, all files are read`);
    damaged = true;
    manifest.files = listCheckpoints(directory).map(({ name }) => ({ name, bytes: 0, from: 0, to: Number.MAX_VALUE }));
  } else manifest = state.manifest;

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
    if (file.to <= since) {
      kept.push(file);
      continue;
    }
    const read = scanFile(core, path, CHECKPOINT_MAGIC, (p, n) => core.checkpointLoad(p, n, since, dirty).unsound);
    const short = state.kind === 'read' && read.bytes < file.bytes;
    if (short) log.err(`${path}: ${read.bytes} bytes long, ${file.bytes} were written`);
    if (report(path, read, log, false) || short) {
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
    core.replayBegin();
    const read = scanFile(core, path, LOG_MAGIC, (p, n) => {
      const frame = core.replayFrame(p, n, logSince);
      samples += frame.stored;
      return frame.sound ? 0 : 1;
    });
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
    nextCheckpoint: (listCheckpoints(directory).at(-1)?.number ?? 0) + 1,
    damaged,
    aside,
    samples,
  };
}
