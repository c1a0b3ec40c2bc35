/** Reads the frames of a log segment or checkpoint file, and says what lies between them. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Logger } from '../base/log.js';
import type { Core } from '../wasm/core.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import { FrameField } from '../wasm/tables/layouts.js';
import { type FileHeader, readHeader } from './file-header.js';

const CHUNK = 1 << 20;

export interface Gap {
  offset: number;
  length: number;
}

export interface FileReport {
  bytes: number;
  /** Undefined: the file is of an older version, or its header is damaged. */
  header: FileHeader | undefined;
  headBytes: number;
  /** Stretches that held no whole frame, in order; no two of them touch. */
  gaps: Gap[];
  wholeUntil: number;
  unsound: number;
  /** The last gap is the beginning of a frame: a write was interrupted. */
  isTorn: boolean;
  /** The disk did not give all of it. */
  error?: Error;
}

/** Errors of a disk that has lost a file, unlike those of permissions that an admin has set. */
const BROKEN = new Set(['EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG']);

/** Runs `onFrame` for each whole frame of a file. @throws when the file can't be opened, or must not be read. */
export function scanFile(
  core: Core,
  path: string,
  magic: FrameMagic,
  onFrame: (p: number, n: number) => number,
): FileReport {
  const fd = openSync(path, 'r');
  const gaps: Gap[] = [];
  const bytes = fstatSync(fd).size;
  let header: FileHeader | undefined;
  let headBytes = 0;
  let unsound = 0;
  let wholeUntil = 0;
  try {
    const head = readHeader(core, fd);
    header = head?.header;
    headBytes = head?.bytes ?? 0;
    const start = headBytes;
    wholeUntil = start;
    wholeUntil += core.files.scanFrames(
      magic,
      Math.min(CHUNK, Math.max(bytes, 64)),
      (into, offset) => readSync(fd, into, 0, into.length, start + offset),
      (p, n) => {
        unsound += onFrame(p, n);
      },
      (at, length) => {
        const offset = start + at;
        const last = gaps.at(-1);
        if (last && last.offset + last.length === offset) last.length += length;
        else gaps.push({ offset, length });
      },
      bytes - start,
    );
    return { bytes, header, headBytes, gaps, wholeUntil, unsound, isTorn: isTorn(fd, bytes, magic, gaps.at(-1)) };
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return { bytes, header, headBytes, gaps, wholeUntil, unsound, isTorn: false, error: error as Error };
  } finally {
    closeSync(fd);
  }
}

/** Whether a gap at the end of a file is the beginning of a frame whose rest was never written. */
function isTorn(fd: number, bytes: number, magic: FrameMagic, gap: Gap | undefined): boolean {
  if (!gap || gap.offset + gap.length < bytes) return false;
  const head = Buffer.alloc(FrameField.Payload);
  const n = readSync(fd, head, 0, Math.min(head.length, gap.length), gap.offset);
  const expected = Buffer.alloc(FrameField.Length);
  expected.writeUInt32LE(gap.offset === 0 && head.readUInt32LE(0) === FrameMagic.Header ? FrameMagic.Header : magic);
  const begun = head.subarray(FrameField.Magic, Math.min(n, FrameField.Length));
  if (!begun.equals(expected.subarray(0, n))) return false;
  return n < head.length || FrameField.Payload + head.readUInt32LE(FrameField.Length) > gap.length;
}

/** Says what was wrong with a file; returns whether anything but a torn tail was. */
export function reportFile(path: string, file: FileReport, log: Logger, tornIsNormal: boolean): boolean {
  let damaged = file.unsound > 0 || file.error !== undefined;
  if (file.error) log.err(`${path}: can't be read after byte ${file.wholeUntil}`, file.error);
  if (file.unsound)
    log.err(`${path}: ${file.unsound} records make no sense although their checksum is right; left out`);
  for (const gap of file.gaps) {
    if (tornIsNormal && file.isTorn && gap === file.gaps.at(-1)) {
      log.warn(
        `${path}: torn at byte ${gap.offset}, the last ${gap.length} bytes are cut off; everything before them is kept`,
      );
    } else {
      damaged = true;
      log.err(
        `${path}: ${gap.length} bytes at byte ${gap.offset} are damaged; everything before and after them is kept`,
      );
    }
  }
  return damaged;
}
