/**
 * Archives a stretch of time: reads whatever holds samples of it into a core of its own, so that blocks that several files
 * hold, open ones and late samples come out as a restart would bring them back, and writes them, one file a cluster.
 *
 * Memory: the stretch is read in shares of its hosts, as many as make a share's files at most SHARE_BYTES. A share is what
 * partition `index` of `count` would load, with a multiple of the directories' own count, so that with one share a partition every file
 * is read twice (once for its metrics); with k shares, k + 1 times.
 *
 * Nothing is changed in the checkpoint directory. A job that is killed leaves complete archives, of some of the clusters; done
 * again under the same `from` it adds what is missing, and doubles nothing (write-archive.ts).
 */
import type { MetricConfig } from '../../config/config.js';
import { CHECKPOINT_MAGIC, Core, type ExportedSeries, LOG_MAGIC } from '../../core/instance.js';
import { compileCore } from '../../core/module.js';
import type { Logger } from '../../log.js';
import type { ArchiveResult } from '../archive/write-archive.js';
import { seriesHeaders } from '../frame-reader.js';
import { scanFile } from '../load.js';
import { readJsonCheckpoint } from '../reference/json-reader.js';
import { ReferenceFormatError, type SeriesRun } from '../reference/types.js';
import { keepDamaged } from '../supersede.js';
import { listSources, type Sources } from './sources.js';
import { ArchiveWriters } from './writers.js';

/** Bytes of files that are in memory at a time. */
const SHARE_BYTES = 256 << 20;

export interface ArchiveJob {
  /** The checkpoint directory. */
  root: string;
  /** The archive's directory. */
  target: string;
  /** Unix seconds, [from, to); the archives are named after `from`. */
  from: number;
  to: number;
  /** Of the config. */
  partitionCount: number;
  metrics: [string, MetricConfig][];
  /** Width of JSON windows; undefined: there are none. */
  windowSeconds: number | undefined;
  /** Also what is in log segments only; otherwise a checkpoint has been made before. */
  withLog: boolean;
  /** Bytes a share may have; default: 256 MiB. */
  shareBytes?: number;
}

/** Resolves once all archives are complete and synced. Rejects when one can't be written, or a file not be read. */
export async function runArchiveJob(job: ArchiveJob, log: Logger): Promise<ArchiveResult[]> {
  const sources = await listSources(job.root, job.from, job.to, job.partitionCount, job.windowSeconds);
  const module = compileCore();
  const metrics = metricsOf(module, job, sources, log);
  const shares = job.partitionCount * Math.max(1, Math.ceil(sources.bytes / (job.shareBytes ?? SHARE_BYTES)));
  const writers = new ArchiveWriters(job.target, job.from);
  try {
    for (let index = 0; index < shares; index++) {
      const core = new Core(module, metrics, index, shares);
      await loadShare(core, job, sources, log);
      for (let number = 0; number < core.seriesEnd; number++) {
        const series = core.exportSeries(number, job.from, job.to);
        if (series) await writers.push(toRun(series));
      }
    }
    return await writers.finish();
  } catch (error) {
    await writers.abandon(error as Error);
    throw error;
  }
}

/**
 * The metrics that the files hold, whether the config still names them or not, at the finest frequency that they have there;
 * damage is dealt with here, once.
 */
function metricsOf(
  module: WebAssembly.Module,
  job: ArchiveJob,
  sources: Sources,
  log: Logger,
): Map<string, MetricConfig> {
  const frequencies = new Map<string, number>();
  const core = new Core(module, new Map(), 0, 1);
  for (const path of sources.directories.flatMap(({ files }) => files)) {
    const report = scanFile(core, path, CHECKPOINT_MAGIC, (p, n) => {
      for (const { metric, frequency } of seriesHeaders(core.payload(p, n))) {
        frequencies.set(metric, Math.min(frequency, frequencies.get(metric) ?? frequency));
      }
      return 0;
    });
    if (report.error) throw report.error;
    if (!report.gaps.length) continue;
    log.err(`${path}: damaged; what is whole of it is archived, and a copy of the file is kept`);
    keepDamaged(job.root, [path]);
  }
  const metrics = new Map<string, MetricConfig>();
  for (const [name, metric] of job.metrics) metrics.set(name, { ...metric, precision: 'double' });
  for (const [name, frequency] of frequencies) metrics.set(name, { frequency, aggregation: null, precision: 'double' });
  return metrics;
}

async function loadShare(core: Core, job: ArchiveJob, sources: Sources, log: Logger): Promise<void> {
  core.loadUntil(job.to);
  await loadWindows(core, job, sources, log);
  for (const { index, count, files, segments } of sources.directories) {
    // A share's hosts are all of one partition.
    if (core.partitions % count === 0 && core.index % count !== index) continue;
    for (const path of files) {
      scanFile(core, path, CHECKPOINT_MAGIC, (p, n) => core.checkpointLoad(p, n, job.from, false).unsound);
    }
    if (!job.withLog) continue;
    for (const path of segments) {
      core.replayBegin();
      scanFile(core, path, LOG_MAGIC, (p, n) => (core.replayFrame(p, n, job.from).sound ? 0 : 1));
    }
  }
  core.loadEnd();
}

async function loadWindows(core: Core, job: ArchiveJob, { windows }: Sources, log: Logger): Promise<void> {
  for (const { cluster, host, files } of windows) {
    if (core.partitionOf(cluster, host, core.partitions) !== core.index) continue;
    for (const { path } of files) {
      try {
        for await (const { levels, metric, start, frequency, values } of readJsonCheckpoint(path)) {
          core.importRun([cluster, host, ...levels], metric, start, frequency, values, job.from);
        }
      } catch (error) {
        if (!(error instanceof ReferenceFormatError)) throw error;
        log.err(`${path}: damaged (${error.why}); what is whole of it is archived, and a copy of the file is kept`);
        keepDamaged(job.root, [path]);
      }
    }
  }
}

function toRun({ levels, metric, frequency, start, values }: ExportedSeries): SeriesRun {
  const [cluster = '', host = '', ...below] = levels;
  return { cluster, host, levels: below, metric, frequency, start, values };
}
