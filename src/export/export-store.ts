/** Exports what a server has stored as files of the reference. */
import type { Config } from '../config/config.js';
import { partitionCount } from '../config/topology.js';
import type { Logger } from '../log.js';
import { loadShares, type ShareOptions, seriesRuns } from '../persistence/archive/job/shares.js';
import { listSources, spanOfLogs } from '../persistence/archive/job/sources.js';
import { jsonWindowSeconds } from '../persistence/json/json-windows.js';
import type { SeriesRun } from '../persistence/reference/types.js';
import type { Core } from '../wasm/core.js';
import { type ExportSummary, exportReference, exportWindowSeconds } from './export-reference.js';

export interface StoreExport {
  out: string;
  format: 'bin' | 'json';
  /** Unix seconds, inclusive; undefined: one retention before `to`. */
  from?: number;
  /** Unix seconds, exclusive; undefined: after the newest sample. */
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
  const to = request.to ?? (await endOf(root, count, windowSeconds));
  if (!Number.isFinite(to)) return undefined;
  const from = request.from ?? Math.max(0, Math.floor(to - store.retentionSeconds));
  const options: ShareOptions = {
    root,
    from,
    to,
    partitionCount: count,
    metrics: [...config.metrics],
    windowSeconds,
    withLog: true,
  };
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

/** After the newest sample, whole unix seconds; -Infinity: there is none. */
async function endOf(root: string, count: number, windowSeconds: number | undefined): Promise<number> {
  const sources = await listSources(root, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, count, windowSeconds);
  const logs = spanOfLogs(sources.directories.flatMap(({ segments }) => segments));
  return Math.ceil(Math.max(sources.newest, logs.to + 1));
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
