import { writeReferenceBin } from '../persistence/reference/bin-writer.js';
import { scanReferenceDirectory } from '../persistence/reference/directory.js';
import { writeReferenceJson } from '../persistence/reference/json-writer.js';
import type { SeriesRun } from '../persistence/reference/types.js';

export interface ExportOptions {
  /** Where `<cluster>/<host>/` are made. Must not hold files of the reference yet. */
  directory: string;
  /** `bin` keeps float32, `json` every bit. */
  format: 'bin' | 'json';
  /** Unix seconds, inclusive. */
  from: number;
  /** Unix seconds, exclusive. */
  to: number;
  /** Seconds that one file covers at most; see `exportWindowSeconds`. */
  windowSeconds: number;
}

export interface ExportSummary {
  hosts: number;
  files: number;
}

const MAX_WINDOW = 12 * 3600;
const MIN_WINDOW = 60;

/**
 * A width of windows with which the reference finds all files. It loads those whose *name* lies within its retention,
 * and an older one only when a newer one follows; so the newest file must begin well within the retention.
 */
export function exportWindowSeconds(retentionSeconds: number): number {
  return Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, Math.floor(retentionSeconds / 4)));
}

/**
 * Writes checkpoints from which the reference can start. Windows are counted back from `to`, so that the last one is
 * full. Memory: the samples of one host.
 * @param runs grouped by host; a host that comes a second time is an error, since its files are written already.
 */
export async function exportReference(runs: AsyncIterable<SeriesRun>, options: ExportOptions): Promise<ExportSummary> {
  const occupied = await scanReferenceDirectory(options.directory);
  if (occupied.length > 0) {
    const file = occupied[0]?.files[0]?.path;
    throw new Error(`${options.directory} already holds checkpoints (${file}), expected an empty directory`);
  }
  const { from, to, windowSeconds } = options;
  if (!(from >= 0 && from < to && windowSeconds > 0)) {
    throw new Error(`cannot export from ${from} to ${to} in windows of ${windowSeconds} seconds`);
  }
  const summary: ExportSummary = { hosts: 0, files: 0 };
  const done = new Set<string>();
  let current: SeriesRun[] = [];
  const finishHost = async () => {
    const [first] = current;
    if (first === undefined) return;
    done.add(`${first.cluster}/${first.host}`);
    summary.hosts++;
    summary.files += await writeHost(current, options);
    current = [];
  };
  for await (const run of runs) {
    const [first] = current;
    if (first !== undefined && (first.cluster !== run.cluster || first.host !== run.host)) await finishHost();
    if (done.has(`${run.cluster}/${run.host}`)) {
      throw new Error(`runs of ${run.cluster}/${run.host} come in two places, expected them grouped by host`);
    }
    current.push(run);
  }
  await finishHost();
  return summary;
}

async function writeHost(
  runs: SeriesRun[],
  { directory, format, from, to, windowSeconds }: ExportOptions,
): Promise<number> {
  const { cluster, host } = runs[0] as SeriesRun;
  const write = format === 'bin' ? writeReferenceBin : writeReferenceJson;
  let files = 0;
  for (const end of windowEnds(runs, from, to, windowSeconds)) {
    const start = Math.max(from, end - windowSeconds);
    const inside = runs.filter((run) => run.start < end && run.start + run.values.length * run.frequency > start);
    if ((await write(directory, cluster, host, start, end, inside)) !== undefined) files++;
  }
  return files;
}

/** Ends of the windows that runs touch, oldest first. There may be years without any between them. */
function windowEnds(runs: SeriesRun[], from: number, to: number, seconds: number): number[] {
  /** Windows before the last one. */
  const before = new Set<number>();
  for (const { start, frequency, values } of runs) {
    const first = Math.max(start, from);
    const last = Math.min(start + (values.length - 1) * frequency, to - 1);
    const oldest = Math.ceil((to - first) / seconds) - 1;
    for (let k = Math.max(0, Math.ceil((to - last) / seconds) - 1); k <= oldest; k++) before.add(k);
  }
  return [...before].sort((a, b) => b - a).map((k) => to - k * seconds);
}
