import { join } from 'node:path';
import type { Window } from './bin-reader.js';
import { MAX_LEVELS, type SeriesRun } from './types.js';

/** A series within a window, without missing bins at its ends. */
export interface TreeSeries {
  frequency: number;
  start: number;
  values: Float64Array;
}

/** One level of the tree that a checkpoint holds; the host itself is the outermost. */
export interface TreeLevel {
  metrics: Map<string, TreeSeries>;
  children: Map<string, TreeLevel>;
}

interface Gathered {
  frequency: number;
  /** In order of arrival: a later piece overwrites an earlier one. */
  pieces: { start: number; values: Float64Array }[];
}

interface GatheredLevel {
  metrics: Map<string, Gathered>;
  children: Map<string, GatheredLevel>;
}

/**
 * The tree of one host's checkpoint as its runs come in: what lies in the window, several runs of a series put together,
 * gaps NaN. Order of levels and metrics is order of arrival; of two runs that overlap the later counts.
 * Memory: the samples of one host in one window, twice for a moment.
 */
export class HostTree {
  readonly #root: GatheredLevel = { metrics: new Map(), children: new Map() };

  constructor(
    readonly cluster: string,
    readonly host: string,
    readonly window: Window,
  ) {}

  /** Throws for a run of another host, and for one of another frequency than the series has so far. */
  add(run: SeriesRun): void {
    if (run.cluster !== this.cluster || run.host !== this.host) {
      throw new Error(
        `run of ${run.cluster}/${run.host} among those of ${this.cluster}/${this.host}, expected one host a file`,
      );
    }
    gather(this.#root, run, this.window);
  }

  /** Undefined if no sample lies in the window. */
  finish(): TreeLevel | undefined {
    return finish(this.#root);
  }
}

/** Collects one host's runs. @returns undefined if no sample lies in the window. */
export async function collectHost(
  cluster: string,
  host: string,
  window: Window,
  runs: AsyncIterable<SeriesRun> | Iterable<SeriesRun>,
): Promise<TreeLevel | undefined> {
  const tree = new HostTree(cluster, host, window);
  for await (const run of runs) tree.add(run);
  return tree.finish();
}

/** The path of a host's checkpoint. Throws for names that would lead out of the directory. */
export function checkpointPath(dir: string, cluster: string, host: string, file: string): string {
  for (const name of [cluster, host]) {
    if (!isSafeName(name))
      throw new Error(`${JSON.stringify(name)} cannot name a directory: expected no /, no . or ..`);
  }
  return join(dir, cluster, host, file);
}

/** Whether a cluster or host can name a directory. */
export function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

function gather(root: GatheredLevel, run: SeriesRun, window: Window): void {
  const { frequency, start, values } = run;
  const first = Math.max(0, Math.ceil((window.from - start) / frequency));
  const end = Math.min(values.length, Math.ceil((window.to - start) / frequency));
  const trimmed = trim(values.subarray(first, Math.max(first, end)));
  if (trimmed.values.length === 0) return;
  if (run.levels.length > MAX_LEVELS)
    throw new Error(`${run.levels.length} levels below ${run.host}, at most ${MAX_LEVELS}`);
  let level = root;
  for (const name of run.levels) {
    let child = level.children.get(name);
    if (child === undefined) {
      child = { metrics: new Map(), children: new Map() };
      level.children.set(name, child);
    }
    level = child;
  }
  const piece = { start: start + (first + trimmed.skipped) * frequency, values: trimmed.values };
  const known = level.metrics.get(run.metric);
  if (known === undefined) {
    level.metrics.set(run.metric, { frequency, pieces: [piece] });
  } else if (known.frequency === frequency) {
    known.pieces.push(piece);
  } else {
    const name = [run.host, ...run.levels, run.metric].join('/');
    throw new Error(`${name} has frequencies ${known.frequency} and ${frequency}, expected one a file`);
  }
}

function finish(level: GatheredLevel): TreeLevel | undefined {
  const metrics = new Map([...level.metrics].map(([name, gathered]) => [name, assemble(gathered)]));
  const children = new Map<string, TreeLevel>();
  for (const [name, child] of level.children) {
    const finished = finish(child);
    if (finished !== undefined) children.set(name, finished);
  }
  return metrics.size + children.size === 0 ? undefined : { metrics, children };
}

/** Puts the pieces into one array, each value in the bin that contains its time. */
function assemble({ frequency, pieces }: Gathered): TreeSeries {
  const start = pieces.reduce((least, piece) => Math.min(least, piece.start), Number.POSITIVE_INFINITY);
  const position = (time: number) => Math.floor((time - start + Math.floor(frequency / 2)) / frequency);
  const end = pieces.reduce((most, piece) => Math.max(most, position(piece.start) + piece.values.length), 0);
  const values = new Float64Array(end).fill(Number.NaN);
  for (const piece of pieces) {
    const at = position(piece.start);
    piece.values.forEach((value, k) => {
      if (!Number.isNaN(value)) values[at + k] = value;
    });
  }
  return { frequency, start, values };
}

/** The part between the first and the last value that is not missing, without copying. */
function trim(values: Float64Array): { skipped: number; values: Float64Array } {
  let from = 0;
  let to = values.length;
  while (from < to && Number.isNaN(values[from])) from++;
  while (to > from && Number.isNaN(values[to - 1])) to--;
  return { skipped: from, values: values.subarray(from, to) };
}
