/** Exports what a server has stored as files of the reference. */

import type { Logger } from '../base/log.js';
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import { loadShares, type ShareOptions, seriesRuns } from '../persistence/archive/job/shares.js';
import { listSources, spanOfLogs } from '../persistence/archive/job/sources.js';
import { jsonWindowSeconds } from '../persistence/json/json-windows.js';
import type { SeriesRun } from '../persistence/reference/types.js';
import type { Core } from '../wasm/core.js';
import { type ExportSummary, exportReference, exportWindowSeconds } from './export-reference.js';
import { formatTime } from './series-summary.js';

export interface StoreExport {
  out: string;
  format: 'bin' | 'json';
  /** Unix seconds, inclusive; undefined: one retention before `to`. */
  from?: number;
  /** Unix seconds, exclusive; undefined: after the newest sample that is not of a clock that was ahead. */
  to?: number;
}

export interface StoreExported extends ExportSummary {
  /** Unix seconds, [from, to). */
  from: number;
  to: number;
}

/** The directory must not be in use by a server. Resolves to undefined when it holds nothing to export. */
export async function exportStore(
  config: Config,
  request: StoreExport,
  log: Logger,
): Promise<StoreExported | undefined> {
  const { store } = config;
  const root = store.checkpoints.directory;
  const windowSeconds = jsonWindowSeconds(store);
  const count = partitionCount(store);
  const sources = { root, partitionCount: count, metrics: [...config.metrics], windowSeconds, withLog: true };
  const to = request.to ?? (await endOf(sources, store.futureLimitSeconds, log));
  if (!Number.isFinite(to)) return undefined;
  const from = request.from ?? Math.max(0, Math.floor(to - store.retentionSeconds));
  const options: ShareOptions = { ...sources, from, to };
  const { out: directory, format } = request;
  const width = exportWindowSeconds(store.retentionSeconds);
  const summary = await exportReference(runsByHost(options, log), {
    directory,
    format,
    from,
    to,
    windowSeconds: width,
  });
  return { ...summary, from, to };
}

/**
 * After the newest sample, whole unix seconds; -Infinity: there is none. Samples further ahead of now than `futureLimit` (seconds;
 * 0: any may be) are of wrong clocks, from a time when they were not refused: the end is after the newest of the others.
 */
async function endOf(sources: Omit<ShareOptions, 'from' | 'to'>, futureLimit: number, log: Logger): Promise<number> {
  const { root, partitionCount: count, windowSeconds } = sources;
  const [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const { directories, newest } = await listSources(root, from, to, count, windowSeconds);
  const logs = spanOfLogs(directories.flatMap(({ segments }) => segments));
  const end = Math.ceil(Math.max(newest, logs.to + 1));
  const limit = futureLimit === 0 ? to : Math.ceil(Date.now() / 1000) + futureLimit;
  if (end <= limit) return end;
  const good = await newestBefore({ ...sources, from, to: limit }, log);
  if (!Number.isFinite(good)) return end;
  log.warn(
    `samples until ${formatTime(end)} are of clocks that were ahead: what is after ${formatTime(good)} is left out; -to takes it`,
  );
  return good;
}

/** After the newest sample before `to`, whole unix seconds; -Infinity: there is none. Reads all files. */
async function newestBefore(options: ShareOptions, log: Logger): Promise<number> {
  let end = Number.NEGATIVE_INFINITY;
  for await (const core of loadShares(options, log)) {
    for (let number = 0; number < core.series.end; number++) {
      for (const { start, frequency, values } of seriesRuns(core, number, options.from, options.to)) {
        const last = values.findLastIndex((value) => !Number.isNaN(value));
        const time = Math.ceil(start + (last + 0.5) * frequency);
        if (last >= 0) end = Math.max(end, Math.min(time, options.to));
      }
    }
  }
  return end;
}

async function* runsByHost(options: ShareOptions, log: Logger): AsyncGenerator<SeriesRun> {
  for await (const core of loadShares(options, log)) {
    for (const numbers of seriesByHost(core)) {
      for (const number of numbers) yield* seriesRuns(core, number, options.from, options.to);
    }
  }
}

function seriesByHost(core: Core): Iterable<number[]> {
  const hosts = new Map<number, number[]>();
  for (let number = 0; number < core.series.end; number++) {
    const node = core.series.hostOf(number);
    if (!node) continue;
    const known = hosts.get(node);
    if (known) known.push(number);
    else hosts.set(node, [number]);
  }
  return hosts.values();
}
