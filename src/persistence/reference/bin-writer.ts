import { type FileSink, writeAtomically } from './atomic-file.js';
import { BIN_HEADER_SIZE, BIN_MAGIC } from './bin-reader.js';
import { checkpointPath, collectHost, type TreeLevel, type TreeSeries } from './host-tree.js';
import type { SeriesRun } from './types.js';

const MAX_NAME = 0xffff;

/**
 * Writes one host's `<dir>/<cluster>/<host>/<from>.bin` as the reference does: samples of `[from, to)`, rounded to
 * float32. The file appears whole or not at all and replaces one of the same name.
 * @param runs of this host alone, in any order; of two runs that overlap the later counts.
 * @returns the file's path, or undefined if no sample lies in the window (then no file is made).
 */
export async function writeReferenceBin(
  dir: string,
  cluster: string,
  host: string,
  from: number,
  to: number,
  runs: AsyncIterable<SeriesRun> | Iterable<SeriesRun>,
): Promise<string | undefined> {
  const path = checkpointPath(dir, cluster, host, `${from}.bin`);
  const tree = await collectHost(cluster, host, { from, to }, runs);
  if (tree === undefined) return undefined;
  await writeAtomically(path, async (sink) => {
    const header = Buffer.alloc(BIN_HEADER_SIZE);
    header.writeUInt32LE(BIN_MAGIC, 0);
    header.writeBigInt64LE(BigInt(from), 4);
    header.writeBigInt64LE(BigInt(to), 12);
    await sink.append(header);
    await writeLevel(sink, tree);
  });
  return path;
}

async function writeLevel(sink: FileSink, level: TreeLevel): Promise<void> {
  await writeCount(sink, level.metrics.size);
  for (const [name, series] of level.metrics) {
    await writeName(sink, name);
    await writeSeries(sink, series);
  }
  await writeCount(sink, level.children.size);
  for (const [name, child] of level.children) {
    await writeName(sink, name);
    await writeLevel(sink, child);
  }
}

async function writeSeries(sink: FileSink, { frequency, start, values }: TreeSeries): Promise<void> {
  const bytes = Buffer.allocUnsafe(20 + values.length * 4);
  bytes.writeBigInt64LE(BigInt(frequency), 0);
  bytes.writeBigInt64LE(BigInt(start), 8);
  bytes.writeUInt32LE(values.length, 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset + 20);
  values.forEach((value, k) => {
    view.setFloat32(k * 4, value, true);
  });
  await sink.append(bytes);
}

async function writeCount(sink: FileSink, count: number): Promise<void> {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(count, 0);
  await sink.append(bytes);
}

async function writeName(sink: FileSink, name: string): Promise<void> {
  const text = Buffer.from(name, 'utf8');
  if (text.length === 0 || text.length > MAX_NAME) {
    throw new Error(`a name of ${text.length} bytes (${name.slice(0, 40)}), expected 1 to ${MAX_NAME}`);
  }
  const bytes = Buffer.allocUnsafe(2 + text.length);
  bytes.writeUInt16LE(text.length, 0);
  text.copy(bytes, 2);
  await sink.append(bytes);
}
