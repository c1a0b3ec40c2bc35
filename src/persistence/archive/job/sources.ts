/** What holds samples of a stretch of time in a checkpoint directory, in the order in which it must be read. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Core } from '../../../wasm/core.js';
import { compileCore } from '../../../wasm/module.js';
import { FrameMagic } from '../../../wasm/tables/codes.js';
import { readManifest } from '../../checkpoint/manifest.js';
import { LogFrames } from '../../frame-reader.js';
import { isJsonWindow } from '../../json/json-windows.js';
import { listSegments } from '../../layout.js';
import { partitionDirectories } from '../../partition-directories.js';
import { type ReferenceHost, scanReferenceDirectory } from '../../reference/directory.js';
import { scanFile } from '../../scan-file.js';

export interface DirectorySources {
  index: number;
  count: number;
  /** Paths, oldest first: where two of them hold the same bin, the later one counts. */
  files: string[];
  /** Log segments that no checkpoint covers. */
  segments: string[];
}

export interface Sources {
  /** Our own JSON windows, by host. */
  windows: ReferenceHost[];
  /** Those of other numbers of partitions come first. */
  directories: DirectorySources[];
  /** Of all files. */
  bytes: number;
  /** Start of the oldest checkpoint data, also outside of the stretch, unix seconds; Infinity: there is none. Logs are not looked at. */
  oldest: number;
  /** End of the newest; -Infinity: there is none. */
  newest: number;
}

/**
 * Lists what may hold samples of [from, to). @param count of partitions in the config.
 * @param windowSeconds width of JSON windows; undefined: there are none.
 * @throws Error for a manifest that can't be read.
 */
export async function listSources(
  root: string,
  from: number,
  to: number,
  count: number,
  windowSeconds: number | undefined,
): Promise<Sources> {
  const sources: Sources = {
    windows: [],
    directories: [],
    bytes: 0,
    oldest: Number.POSITIVE_INFINITY,
    newest: Number.NEGATIVE_INFINITY,
  };
  const overlaps = (file: { from: number; to: number }): boolean => {
    sources.oldest = Math.min(sources.oldest, file.from);
    sources.newest = Math.max(sources.newest, file.to);
    return file.from < to && file.to > from;
  };
  const own = (directory: { count: number }): number => (directory.count === count ? 1 : 0);
  const directories = partitionDirectories(root).sort((a, b) => own(a) - own(b));
  for (const { path, index, count: ofCount } of directories) {
    const state = readManifest(path);
    if (state.kind === 'damaged') {
      throw new Error(`${path}: the manifest can't be used (${state.why}); start the server once, which repairs it`);
    }
    const { files, kept = [], firstSegment, keptUntil } = state.manifest;
    const named = [...kept, ...files].sort((a, b) => (a.name < b.name ? -1 : 1)).filter(overlaps);
    for (const { bytes } of named) sources.bytes += bytes;
    const segments = keptUntil === undefined ? listSegments(path).filter(({ number }) => number >= firstSegment) : [];
    sources.directories.push({
      index,
      count: ofCount,
      files: named.map(({ name }) => join(path, name)),
      segments: segments.map(({ name }) => join(path, name)),
    });
  }
  if (windowSeconds !== undefined) await addWindows(sources, root, windowSeconds, overlaps);
  return sources;
}

async function addWindows(
  sources: Sources,
  root: string,
  windowSeconds: number,
  overlaps: (file: { from: number; to: number }) => boolean,
): Promise<void> {
  for (const host of await scanReferenceDirectory(root)) {
    const files: ReferenceHost['files'] = [];
    for (const file of host.files) {
      if (!(await isJsonWindow(file, windowSeconds))) continue;
      if (!overlaps({ from: file.from, to: file.from + windowSeconds })) continue;
      files.push(file);
      sources.bytes += statSync(file.path).size;
    }
    if (files.length) sources.windows.push({ ...host, files });
  }
}

/** From the oldest sample of log segments to the newest, unix seconds; from > to: there is none. */
export function spanOfLogs(paths: string[]): { from: number; to: number } {
  const core = new Core(compileCore(), new Map(), 0, 1);
  const span = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  for (const path of paths) {
    const frames = new LogFrames();
    scanFile(core, path, FrameMagic.Log, (p, n) => {
      for (const record of frames.records(core.files.payload(p, n))) {
        if (record.kind !== 'sample') continue;
        span.from = Math.min(span.from, record.time);
        span.to = Math.max(span.to, record.time);
      }
      return 0;
    });
  }
  return span;
}
