/** Says in lines of text, for an admin, what our own files hold, from when to when, and whether they are whole. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MetricConfig } from '../config/config.js';
import { seriesRuns } from '../persistence/archive/job/shares.js';
import { archiveRuns } from '../persistence/archive/parquet/existing-archive.js';
import { type CheckpointFile, type Manifest, readManifest } from '../persistence/checkpoint/manifest.js';
import { LogFrames, seriesHeaders } from '../persistence/frame-reader.js';
import { type FileReport, scanFile } from '../persistence/scan-file.js';
import { Core } from '../wasm/core.js';
import { compileCore } from '../wasm/module.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import { formatTime, SeriesSummary } from './series-summary.js';

/** Damaged stretches of a file that are listed one by one. */
const LISTED = 16;

/** Hosts by cluster, beside a summary of their series. */
class HostCount {
  readonly #hosts = new Set<string>();
  readonly #clusters = new Set<string>();

  add([cluster = '', host = '']: string[]): void {
    this.#clusters.add(cluster);
    this.#hosts.add(`${cluster}/${host}`);
  }

  line(): string {
    return `${this.#hosts.size} hosts of ${this.#clusters.size} clusters (${[...this.#clusters].sort().join(', ')})`;
  }
}

/** A checkpoint file (`.blocks`). Memory: what it holds, compressed. */
export function* describeBlocks(path: string): Generator<string> {
  yield `${path}: checkpoint of ours, ${statSync(path).size} bytes`;
  const module = compileCore();
  const metrics = new Map<string, MetricConfig>();
  const hosts = new HostCount();
  let blocks = 0;
  let frames = 0;
  const look = new Core(module, new Map(), 0, 1);
  const headers = scanFile(look, path, FrameMagic.Checkpoint, (p, n) => {
    frames++;
    return sound(() => {
      for (const { levels, metric, frequency, blocks: count } of seriesHeaders(look.files.payload(p, n))) {
        metrics.set(metric, { frequency, aggregation: null, precision: 'double' });
        hosts.add(levels);
        blocks += count;
      }
    });
  });
  const core = new Core(module, metrics, 0, 1);
  const report = scanFile(core, path, FrameMagic.Checkpoint, (p, n) =>
    headers.unsound ? 0 : core.files.checkpointLoad(p, n, Number.NEGATIVE_INFINITY, false).unsound,
  );
  const summary = new SeriesSummary();
  for (let number = 0; number < core.series.end; number++) {
    for (const { cluster, host, levels, ...run } of seriesRuns(
      core,
      number,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    )) {
      summary.addRun({ cluster, host, levels: [cluster, host, ...levels], ...run });
    }
  }
  yield `${frames} frames, ${blocks} blocks, ${hosts.line()}`;
  yield* summary.lines();
  yield* wholeness({ ...report, unsound: report.unsound + headers.unsound });
}

/** A log segment (`.log`). */
export function* describeLog(path: string): Generator<string> {
  yield `${path}: write-ahead log of ours, ${statSync(path).size} bytes`;
  const core = new Core(compileCore(), new Map(), 0, 1);
  const summary = new SeriesSummary();
  const hosts = new HostCount();
  const records = new LogFrames();
  const freed: string[] = [];
  let frames = 0;
  const report = scanFile(core, path, FrameMagic.Log, (p, n) => {
    frames++;
    return sound(() => {
      for (const record of records.records(core.files.payload(p, n))) {
        if (record.kind === 'free') {
          freed.push(
            `freed by hand: what ends before ${formatTime(record.to)} below ${record.levels.join('/') || 'all'}`,
          );
          continue;
        }
        hosts.add(record.levels);
        summary.addSample(record.levels, record.metric, record.time, record.value);
      }
    });
  });
  yield `${frames} frames, ${hosts.line()}`;
  yield* summary.lines();
  yield* freed.slice(0, LISTED);
  if (freed.length > LISTED) yield `freed by hand ${freed.length - LISTED} more times`;
  yield* wholeness(report);
}

/** Runs what reads a payload. @returns 1 when that makes no sense although its checksum holds, else 0. */
function sound(read: () => void): number {
  try {
    read();
    return 0;
  } catch (error) {
    if (error instanceof RangeError) return 1;
    throw error;
  }
}

function* wholeness({ gaps, bytes, unsound, error, isTorn }: FileReport): Generator<string> {
  if (error) yield `damaged: it can't be read (${error.message})`;
  if (unsound) yield `damaged: ${unsound} records make no sense although their checksum holds`;
  for (const { offset, length } of gaps.slice(0, LISTED)) {
    const torn = isTorn && offset + length >= bytes;
    yield torn
      ? `torn at byte ${offset}: the last ${length} bytes are the beginning of a frame`
      : `damaged at byte ${offset}: ${length} bytes hold no whole frame`;
  }
  if (gaps.length > LISTED) yield `damaged in ${gaps.length - LISTED} more places`;
  if (!gaps.length && !unsound && !error) yield 'whole: every checksum holds';
}

/** A partition's manifest, and whether what it names is there. */
export function* describeManifest(path: string): Generator<string> {
  yield `${path}: manifest of ours, ${statSync(path).size} bytes`;
  const state = readManifest(dirname(path));
  if (state.kind === 'damaged') {
    yield `damaged: ${state.why}`;
    return;
  }
  yield* describeState(state.manifest, dirname(path));
}

function* describeState(manifest: Manifest, directory: string): Generator<string> {
  const { files, kept = [], keptUntil, firstSegment } = manifest;
  yield `log segments from ${firstSegment} on are needed besides these checkpoint files:`;
  let missing = 0;
  const line = (file: CheckpointFile): string => {
    const path = join(directory, file.name);
    const size = existsSync(path) ? statSync(path).size : undefined;
    if (size !== file.bytes) missing++;
    const found = size === file.bytes ? '' : size === undefined ? ', MISSING' : `, but it has ${size}`;
    return `  ${file.name}: ${file.bytes} bytes${found}, ${formatTime(file.from)} to ${formatTime(file.to)}`;
  };
  for (const file of files) yield line(file);
  if (!files.length) yield '  none';
  for (const file of kept) yield `${line(file)}, kept for the archive until ${formatTime(file.until)} is archived`;
  if (keptUntil !== undefined) yield `the directory is kept for the archive until ${formatTime(keptUntil)} is archived`;
  yield missing ? `damaged: ${missing} files are not what was written` : 'whole: all files are there';
}

/** An archive (`.parquet`). */
export async function* describeArchive(path: string): AsyncGenerator<string> {
  yield `${path}: archive in Parquet, ${statSync(path).size} bytes`;
  const summary = new SeriesSummary();
  const hosts = new Set<string>();
  try {
    for await (const { host, metric, scope, scopeId, frequency, start, values } of archiveRuns(path)) {
      hosts.add(host);
      summary.addRun({ cluster: '', host, levels: [host, `${scope}${scopeId}`], metric, frequency, start, values });
    }
  } catch (error) {
    yield* summary.lines();
    yield `damaged: ${(error as Error).message}`;
    return;
  }
  yield `${hosts.size} hosts`;
  yield* summary.lines();
  yield 'whole: every row can be read';
}
