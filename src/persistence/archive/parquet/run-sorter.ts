import { open, rm } from 'node:fs/promises';
import { FileSink } from '../../reference/atomic-file.js';
import { ByteSource } from '../../reference/byte-source.js';
import { compareRuns, type KeyedRun } from './keyed-run.js';

/** Bins sorted in memory at once: 32 MiB of values. */
export const SORT_BINS = 1 << 22;

/** Longer runs are cut. */
const MAX_SPILLED_BINS = 1 << 13;
/** Bytes read at once from each sorted piece: the longest run must fit, with its names. */
const MAX_RECORD = 8 + MAX_SPILLED_BINS * 8 + (1 << 17);

/**
 * Sorts runs of any number in bounded memory: what does not fit is written in sorted pieces beside the archive and
 * merged (disk: 8 bytes a bin, until the sort ends).
 * @param spillPath names the n-th piece. All pieces are removed when the returned iterator ends, also by error.
 */
export async function* sortRuns(
  runs: AsyncIterable<KeyedRun>,
  spillPath: (n: number) => string,
  sortBins = SORT_BINS,
): AsyncGenerator<KeyedRun> {
  const pieces: string[] = [];
  try {
    let buffered: KeyedRun[] = [];
    let bins = 0;
    for await (const run of runs) {
      buffered.push(run);
      bins += run.values.length;
      if (bins < sortBins) continue;
      const path = spillPath(pieces.length);
      pieces.push(path);
      await spill(path, buffered.sort(compareRuns));
      buffered = [];
      bins = 0;
    }
    buffered.sort(compareRuns);
    yield* mergeRuns([...pieces.map(readSpilled), fromArray(buffered)]);
  } finally {
    for (const path of pieces) await rm(path, { force: true });
  }
}

/** Merges sorted sources into one. Of equal runs the one of the earlier source comes first. */
export async function* mergeRuns(sources: AsyncGenerator<KeyedRun>[]): AsyncGenerator<KeyedRun> {
  const heap: { run: KeyedRun; source: number }[] = [];
  const before = (a: { run: KeyedRun; source: number }, b: { run: KeyedRun; source: number }) =>
    (compareRuns(a.run, b.run) || a.source - b.source) < 0;
  const sink = (entry: { run: KeyedRun; source: number }) => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as typeof right)) child++;
      const least = heap[child];
      if (least === undefined || !before(least, entry)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = entry;
  };
  try {
    for (const [source, iterator] of sources.entries()) {
      const { value, done } = await iterator.next();
      if (done !== true) heap.push({ run: value, source });
    }
    // A sorted array is a heap.
    heap.sort((a, b) => (before(a, b) ? -1 : 1));
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      yield top.run;
      const { value, done } = await (sources[top.source] as AsyncGenerator<KeyedRun>).next();
      if (done !== true) {
        sink({ run: value, source: top.source });
      } else {
        const last = heap.pop();
        if (last !== undefined && heap.length > 0) sink(last);
      }
    }
  } finally {
    for (const iterator of sources) await iterator.return(undefined);
  }
}

async function* fromArray(runs: KeyedRun[]): AsyncGenerator<KeyedRun> {
  yield* runs;
}

/**
 * Pieces are scratch files of one process. A record:
 *
 * ```
 * | u32 head length | u32 bins | head: JSON of the run without values | bins x f64 |
 * ```
 */
async function spill(path: string, runs: KeyedRun[]): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    const sink = new FileSink(handle);
    for (const run of runs) {
      for (let at = 0; at < run.values.length; at += MAX_SPILLED_BINS) await spillRun(sink, run, at);
    }
    await sink.flush();
  } finally {
    await handle.close();
  }
}

async function spillRun(sink: FileSink, run: KeyedRun, at: number): Promise<void> {
  const values = run.values.slice(at, at + MAX_SPILLED_BINS);
  const { host, metric, scope, scopeId, source, frequency, rank } = run;
  const start = run.start + at * frequency;
  const head = Buffer.from(JSON.stringify({ host, metric, scope, scopeId, source, frequency, start, rank }), 'utf8');
  const lengths = Buffer.allocUnsafe(8);
  lengths.writeUInt32LE(head.length, 0);
  lengths.writeUInt32LE(values.length, 4);
  await sink.append(lengths);
  await sink.append(head);
  await sink.append(new Uint8Array(values.buffer));
}

async function* readSpilled(path: string): AsyncGenerator<KeyedRun> {
  const source = await ByteSource.open(path, MAX_RECORD);
  try {
    while (source.remaining > 0) {
      await source.fill(8);
      const headLength = source.view.getUint32(source.at, true);
      const bins = source.view.getUint32(source.at + 4, true);
      const length = 8 + headLength + bins * 8;
      if (!(await source.fill(length))) throw new Error(`${path}: a record of ${length} bytes, at most ${MAX_RECORD}`);
      const headEnd = source.at + 8 + headLength;
      const head = JSON.parse(source.bytes.toString('utf8', source.at + 8, headEnd)) as Omit<KeyedRun, 'values'>;
      const values = new Float64Array(bins);
      for (let i = 0; i < bins; i++) values[i] = source.view.getFloat64(headEnd + i * 8, true);
      source.at = headEnd + bins * 8;
      yield { ...head, values };
    }
  } finally {
    await source.close();
  }
}
