/** Writes one checkpoint in the JSON layout that json-windows.ts describes. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Core } from '../../wasm/core.js';
import type { ExportedSeries } from '../../wasm/series.js';
import type { CheckpointRun } from '../checkpoint/checkpoint-run.js';
import { setAside } from '../damaged-files.js';
import { removeFile, syncDirectory, writeAll } from '../files.js';
import { temporaryName } from '../reference/atomic-file.js';
import { scanReferenceDirectory } from '../reference/directory.js';
import { checkpointPath, HostTree, type TreeLevel } from '../reference/host-tree.js';
import { checkpointText } from '../reference/json-writer.js';
import type { SeriesRun } from '../reference/types.js';
import { isJsonWindow } from './json-windows.js';

/** Series looked at between two chances to stop. */
const INDEX_STEP = 4096;
/** Series of one host that are read between two chances to stop. */
const READ_STEP = 64;
/** Bytes of text that are written at once. */
const PIECE_BYTES = 64 << 10;
const STEP_MS = 1;

interface HostSeries {
  /** Of the host; see `SeriesAccess.hostOf`. */
  node: number;
  cluster: string;
  host: string;
  numbers: number[];
}

export class JsonCheckpoint implements CheckpointRun {
  readonly #core: Core;
  readonly #root: string;
  readonly #windowSeconds: number;
  readonly #keepBefore: number;
  readonly #start = performance.now();
  readonly #work: Generator<void>;
  /** Paths, unfinished ones by their final names. */
  readonly #written: string[] = [];
  #bytes = 0;

  /**
   * @param root the checkpoint directory. @param full all windows, not only those in which something is new.
   * @param keepBefore unix seconds; memory may lack older samples, which are taken over from the file that is there.
   */
  constructor(
    core: Core,
    root: string,
    windowSeconds: number,
    readonly full: boolean,
    readonly firstSegment: number,
    keepBefore: number,
  ) {
    this.#core = core;
    this.#root = root;
    this.#windowSeconds = windowSeconds;
    this.#keepBefore = keepBefore;
    this.#work = this.#write();
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get bytes(): number {
    return this.#bytes;
  }

  step(): boolean {
    const end = performance.now() + STEP_MS;
    do if (this.#work.next().done) return false;
    while (performance.now() < end);
    return true;
  }

  *#write(): Generator<void> {
    for (const host of yield* this.#hosts()) {
      const spans = this.#takeUnsaved(host);
      yield;
      for (const from of windowsOf(spans, this.#windowSeconds)) yield* this.#writeWindow(host, from);
    }
  }

  /** Series by host. Series that come later are in the log. */
  *#hosts(): Generator<void, HostSeries[]> {
    const core = this.#core;
    const byNode = new Map<number, HostSeries>();
    for (let from = 0; from < core.series.end; from += INDEX_STEP) {
      const end = Math.min(core.series.end, from + INDEX_STEP);
      for (let number = from; number < end; number++) {
        const node = core.series.hostOf(number);
        if (!node) continue;
        const known = byNode.get(node);
        if (known) known.numbers.push(number);
        else byNode.set(node, { node, ...core.series.hostNames(node), numbers: [number] });
      }
      yield;
    }
    return [...byNode.values()];
  }

  /** From when to when something is new; it counts as kept from now on. */
  #takeUnsaved({ node, cluster, host, numbers }: HostSeries): { from: number; to: number }[] {
    const core = this.#core;
    // By now numbers and node may be those of other series and hosts, whose samples are in the log.
    const own = numbers.filter((number) => core.series.hostOf(number) === node);
    if (!own.length) return [];
    const names = core.series.hostNames(node);
    if (names.cluster !== cluster || names.host !== host) return [];
    return own.flatMap((number) => core.series.takeUnsaved(number, this.full) ?? []);
  }

  *#writeWindow({ cluster, host, numbers }: HostSeries, from: number): Generator<void> {
    const to = from + this.#windowSeconds;
    const path = checkpointPath(this.#root, cluster, host, `${from}.json`);
    const tree = new HostTree(cluster, host, { from, to });
    const runs: SeriesRun[] = [];
    for (let i = 0; i < numbers.length; i++) {
      const run = this.#core.series.exportRun(numbers[i] ?? 0, from, to);
      if (run) runs.push(toRun(run));
      if (i % READ_STEP === READ_STEP - 1) yield;
    }
    // A number may have gone to another host's series meanwhile.
    const own = runs.filter((run) => run.cluster === cluster && run.host === host);
    if (from < this.#keepBefore) for (const run of olderRuns(path, cluster, host, own, this.#keepBefore)) tree.add(run);
    for (const run of own) tree.add(run);
    const level = tree.finish();
    if (level) yield* this.#writeFile(path, level, from, to);
  }

  *#writeFile(path: string, level: TreeLevel, from: number, to: number): Generator<void> {
    mkdirSync(dirname(path), { recursive: true });
    this.#written.push(path);
    const fd = openSync(temporaryName(path), 'w');
    try {
      let pieces: string[] = [];
      let values = 0;
      const write = (): void => {
        const bytes = Buffer.from(pieces.join(''), 'utf8');
        writeAll(fd, bytes);
        this.#bytes += bytes.length;
        pieces = [];
        values = 0;
      };
      for (const piece of checkpointText(level, { from, to })) {
        pieces.push(piece);
        values += piece.length;
        if (values < PIECE_BYTES) continue;
        write();
        yield;
      }
      write();
    } finally {
      closeSync(fd);
    }
    yield;
  }

  /** Syncs and renames what was written; nothing needs an entry in the manifest. */
  async finish(): Promise<never[]> {
    for (const path of this.#written) await syncFile(temporaryName(path));
    const directories = new Set<string>();
    for (const path of this.#written) {
      await rename(temporaryName(path), path);
      // A new host's or cluster's directory must be durable as well.
      for (const directory of [dirname(path), dirname(dirname(path)), this.#root]) directories.add(directory);
    }
    if (this.full) for (const directory of await this.#removeStale()) directories.add(directory);
    for (const directory of directories) syncDirectory(directory);
    return [];
  }

  /** Removes windows that are not old and of which memory has no sample: somebody has freed them. @returns their directories. */
  async #removeStale(): Promise<string[]> {
    const core = this.#core;
    const written = new Set(this.#written);
    const changed: string[] = [];
    for (const { cluster, host, files } of await scanReferenceDirectory(this.#root)) {
      if (!core.owns(cluster, host)) continue;
      for (const file of files) {
        if (file.from < this.#keepBefore || written.has(file.path)) continue;
        if (!(await isJsonWindow(file, this.#windowSeconds))) continue;
        await rm(file.path);
        changed.push(dirname(file.path));
      }
    }
    return changed;
  }

  abandon(): void {
    this.#work.return(undefined);
    for (const path of this.#written) removeFile(temporaryName(path));
  }
}

function toRun({ levels, metric, frequency, start, values }: ExportedSeries): SeriesRun {
  const [cluster = '', host = '', ...below] = levels;
  return { cluster, host, levels: below, metric, frequency, start, values };
}

/** Starts of all windows that the spans touch, oldest first. */
export function windowsOf(spans: { from: number; to: number }[], seconds: number): number[] {
  const windows = new Set<number>();
  for (const { from, to } of spans) {
    for (let at = Math.floor(from / seconds) * seconds; at < to; at += seconds) windows.add(at);
  }
  return [...windows].sort((a, b) => a - b);
}

interface JsonLevel {
  metrics: Record<string, { frequency: number; start: number; data: (number | null)[] }>;
  children: Record<string, JsonLevel>;
}

/**
 * The samples before a time that our own file of the window holds, of series whose frequency has not changed. A file that
 * can't be read is set aside. Rare: only when something old arrives late.
 */
function olderRuns(path: string, cluster: string, host: string, own: SeriesRun[], before: number): SeriesRun[] {
  if (!existsSync(path)) return [];
  const frequencies = new Map(own.map((run) => [run.metric, run.frequency]));
  const runs: SeriesRun[] = [];
  const walk = (level: JsonLevel, levels: string[]): void => {
    for (const [metric, { frequency, start, data }] of Object.entries(level.metrics)) {
      if ((frequencies.get(metric) ?? frequency) !== frequency) continue;
      const count = Math.max(0, Math.ceil((before - start) / frequency));
      const values = Float64Array.from(data.slice(0, count), (value) => value ?? Number.NaN);
      runs.push({ cluster, host, levels, metric, frequency, start, values });
    }
    for (const [name, child] of Object.entries(level.children)) walk(child, [...levels, name]);
  };
  try {
    walk(JSON.parse(readFileSync(path, 'utf8')) as JsonLevel, []);
  } catch {
    setAside(path);
    return [];
  }
  return runs;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
