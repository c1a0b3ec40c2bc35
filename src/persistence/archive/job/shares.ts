/**
 * Loads a stretch of time of a checkpoint directory, a share of its hosts at a time, into cores of their own: what a restart would
 * bring back, for those who write it in another format.
 *
 * Memory: as many shares as make the files of one at most SHARE_BYTES. A share is what partition `index` of `count` would load, with a
 * multiple of the directories' own count: with one share a partition every file is read twice (once for its metrics), with k shares
 * k + 1 times.
 */

import type { Logger } from '../../../base/log.js';
import type { MetricConfig } from '../../../config/config.js';
import { Core } from '../../../wasm/core.js';
import { compileCore } from '../../../wasm/module.js';
import { FrameMagic } from '../../../wasm/tables/codes.js';
import { seriesHeaders } from '../../frame-reader.js';
import { readJsonCheckpoint } from '../../reference/json-reader.js';
import { ReferenceFormatError, type SeriesRun } from '../../reference/types.js';
import { scanFile } from '../../scan-file.js';
import { listSources, type Sources } from './sources.js';

/** Bytes of files that a core holds at most. Two are in memory at a time: V8 frees a core's memory while the next one is filled. */
const SHARE_BYTES = 128 << 20;

export interface ShareOptions {
  /** The checkpoint directory. */
  root: string;
  /** Unix seconds, [from, to). */
  from: number;
  to: number;
  /** Of the config. */
  partitionCount: number;
  metrics: [string, MetricConfig][];
  /** Width of JSON windows; undefined: there are none. */
  windowSeconds: number | undefined;
  /** Also what is in log segments only; otherwise a checkpoint has been made before. */
  withLog: boolean;
  /** Told of files that are damaged; what is whole of them is loaded. */
  damaged?: (path: string) => void;
}

/** A core with all samples of each share's hosts. Rejects when a file can't be read. */
export async function* loadShares(options: ShareOptions, log: Logger): AsyncGenerator<Core> {
  const { root, from, to, partitionCount, windowSeconds } = options;
  const sources = await listSources(root, from, to, partitionCount, windowSeconds);
  const module = compileCore();
  const metrics = metricsOf(module, options, sources, log);
  const shares = partitionCount * Math.max(1, Math.ceil(sources.bytes / SHARE_BYTES));
  for (let index = 0; index < shares; index++) {
    const core = new Core(module, metrics, index, shares);
    await loadShare(core, options, sources, log);
    yield core;
  }
}

/** Seconds of a series that are taken out at once, so that samples far apart do not become one array of missing bins. */
const PIECE_SECONDS = 1 << 22;

/** A series' samples of [from, to) as runs, in order. The core must be one of `loadShares`. */
export function* seriesRuns(core: Core, number: number, from: number, to: number): Generator<SeriesRun> {
  const span = core.series.takeUnsaved(number, true);
  if (!span) return;
  const end = Math.min(to, span.to);
  for (let at = Math.max(from, span.from); at < end; at += PIECE_SECONDS) {
    const series = core.series.exportRun(number, at, Math.min(end, at + PIECE_SECONDS));
    if (!series || series.values.every(Number.isNaN)) continue;
    const { levels, metric, frequency, start, values } = series;
    const [cluster = '', host = '', ...below] = levels;
    yield { cluster, host, levels: below, metric, frequency, start, values };
  }
}

/**
 * The metrics that the files hold, whether the config still names them or not, at the finest frequency that they have there;
 * damage is dealt with here, once.
 */
function metricsOf(
  module: WebAssembly.Module,
  options: ShareOptions,
  sources: Sources,
  log: Logger,
): Map<string, MetricConfig> {
  const frequencies = new Map<string, number>();
  const core = new Core(module, new Map(), 0, 1);
  for (const path of sources.directories.flatMap(({ files }) => files)) {
    const report = scanFile(core, path, FrameMagic.Checkpoint, (p, n) => {
      for (const { metric, frequency } of seriesHeaders(core.files.payload(p, n))) {
        frequencies.set(metric, Math.min(frequency, frequencies.get(metric) ?? frequency));
      }
      return 0;
    });
    if (report.error) throw report.error;
    if (!report.gaps.length) continue;
    log.err(`${path}: damaged; what is whole of it is used`);
    options.damaged?.(path);
  }
  const metrics = new Map<string, MetricConfig>();
  for (const [name, metric] of options.metrics) metrics.set(name, { ...metric, precision: 'double' });
  for (const [name, frequency] of frequencies) metrics.set(name, { frequency, aggregation: null, precision: 'double' });
  return metrics;
}

async function loadShare(core: Core, options: ShareOptions, sources: Sources, log: Logger): Promise<void> {
  core.files.loadUntil(options.to);
  await loadWindows(core, options, sources, log);
  for (const { index, count, files, segments } of sources.directories) {
    // A share's hosts are all of one partition.
    if (core.partitions % count === 0 && core.index % count !== index) continue;
    for (const path of files) {
      scanFile(
        core,
        path,
        FrameMagic.Checkpoint,
        (p, n) => core.files.checkpointLoad(p, n, options.from, false).unsound,
      );
    }
    if (!options.withLog) continue;
    core.files.checkpointLoadEnd();
    for (const path of segments) {
      core.files.replayBegin();
      scanFile(core, path, FrameMagic.Log, (p, n) => (core.files.replayFrame(p, n, options.from).sound ? 0 : 1));
    }
  }
  core.files.loadEnd();
}

async function loadWindows(core: Core, options: ShareOptions, { windows }: Sources, log: Logger): Promise<void> {
  for (const { cluster, host, files } of windows) {
    if (!core.owns(cluster, host)) continue;
    for (const { path } of files) {
      try {
        for await (const { levels, metric, start, frequency, values } of readJsonCheckpoint(path)) {
          core.series.importRun([cluster, host, ...levels], metric, start, frequency, values, options.from);
        }
      } catch (error) {
        if (!(error instanceof ReferenceFormatError)) throw error;
        log.err(`${path}: damaged (${error.why}); what is whole of it is used`);
        options.damaged?.(path);
      }
    }
  }
}
