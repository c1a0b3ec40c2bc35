/**
 * Where a partition's files are:
 *
 *   <checkpoints.directory>/
 *     archive.json          until when samples have been archived (archive/job/state.ts)
 *     early-writes/         log segments of their own format, while and after a load
 *     jobs.json             when retention and cleanup ran last (job-times.ts)
 *     json-windows.json     with file-format "json" (json/json-windows.ts)
 *     units.json            units of metrics that lines have brought (metric-units.ts)
 *     partition-0-of-2/
 *       manifest.json     which checkpoint files count, and the first log segment that is needed besides them
 *       00000003.blocks   checkpoint files: sealed and open blocks
 *       00000007.log      log segments
 *       stream.json       in a cluster: how far the samples go in the partition's stream (stream-position.ts)
 *     partition-1-of-2/
 *     <cluster>/<host>/   the reference's files, read once and superseded by ours; or ours, see json/json-windows.ts
 *
 * The number of partitions may change between starts: a directory of another number is read by all partitions, each
 * taking its own hosts, and removed once the first checkpoint of the new layout is safe.
 *
 * Where old data is archived, a file may be needed longer than the running server needs it: see `KeptFile`, checkpoint/manifest.ts.
 */
import { existsSync, readdirSync } from 'node:fs';

const LOG = /^(\d{8,})\.log$/;
const BLOCKS = /^(\d{8,})\.blocks$/;
const FOREIGN_FILE = /^\d{8,}\.(log|blocks)(?:\.\d+)?\.foreign$/;
/** Where writes are kept that came during the load (src/store/early-writes.ts). */
export const EARLY_WRITES = 'early-writes';
/** Where files go that were replaced and may be wanted still. */
export const SUPERSEDED = 'superseded';
/** What is behind the name of a file that holds hosts of other partitions and does not say whose it is. */
export const FOREIGN = '.foreign';
/** Name of a partition's manifest. */
export const MANIFEST = 'manifest.json';
/** Name of the file that says how far a partition has read its stream. */
export const STREAM = 'stream.json';
/** Number of a partition's first log segment. */
export const FIRST_SEGMENT = 1;

/** Name of a log segment. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

/** Name of a checkpoint file. */
export function checkpointName(number: number): string {
  return `${String(number).padStart(8, '0')}.blocks`;
}

function numbered(directory: string, pattern: RegExp): { name: string; number: number }[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [{ name, number: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

/** Log segments of a directory, oldest first. */
export function listSegments(directory: string): { name: string; number: number }[] {
  return numbered(directory, LOG);
}

/** Whether a file is called as a checkpoint file is. */
export function isCheckpointName(name: string): boolean {
  return BLOCKS.test(name);
}

/** Number of a checkpoint file by its name. */
export function checkpointNumber(name: string): number {
  return Number(BLOCKS.exec(name)?.[1] ?? 0);
}

/** Checkpoint files of a directory, oldest first, in the manifest or not. */
export function listCheckpoints(directory: string): { name: string; number: number }[] {
  return numbered(directory, BLOCKS);
}

/** Files of a directory that hold hosts of other partitions. */
export function listForeign(directory: string): { name: string; kind: 'segment' | 'checkpoint' }[] {
  return readdirSync(directory).flatMap((name) => {
    const match = FOREIGN_FILE.exec(name);
    return match ? [{ name, kind: match[1] === 'log' ? ('segment' as const) : ('checkpoint' as const) }] : [];
  });
}
