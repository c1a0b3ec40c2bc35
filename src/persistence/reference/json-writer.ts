import { type FileSink, writeAtomically } from './atomic-file.js';
import { checkpointPath, collectHost, type TreeLevel, type TreeSeries } from './host-tree.js';
import type { SeriesRun } from './types.js';

/** Values turned into text at once. */
const PIECE = 8192;

/**
 * Writes one host's `<dir>/<cluster>/<host>/<from>.json` in the reference's layout, but in full precision: every double
 * reads back bit for bit. Otherwise as `writeReferenceBin`.
 */
export async function writeReferenceJson(
  dir: string,
  cluster: string,
  host: string,
  from: number,
  to: number,
  runs: AsyncIterable<SeriesRun> | Iterable<SeriesRun>,
): Promise<string | undefined> {
  const path = checkpointPath(dir, cluster, host, `${from}.json`);
  const tree = await collectHost(cluster, host, { from, to }, runs);
  if (tree === undefined) return undefined;
  const window = `"from":${from},"to":${to}}`;
  await writeAtomically(path, async (sink) => {
    await writeLevel(sink, tree, window);
    await text(sink, '\n');
  });
  return path;
}

/** The window comes last, as the reference writes it: readers find it there without parsing the rest. */
async function writeLevel(sink: FileSink, level: TreeLevel, window: string): Promise<void> {
  let separator = '{"metrics":{';
  for (const [name, series] of level.metrics) {
    await text(sink, `${separator}${JSON.stringify(name)}:`);
    await writeSeries(sink, series);
    separator = ',';
  }
  await text(sink, `${level.metrics.size === 0 ? separator : ''}},"children":{`);
  separator = '';
  for (const [name, child] of level.children) {
    await text(sink, `${separator}${JSON.stringify(name)}:`);
    await writeLevel(sink, child, window);
    separator = ',';
  }
  await text(sink, `},${window}`);
}

async function writeSeries(sink: FileSink, { frequency, start, values }: TreeSeries): Promise<void> {
  await text(sink, `{"frequency":${frequency},"start":${start},"data":[`);
  for (let at = 0; at < values.length; at += PIECE) {
    const numbers = Array.from(values.subarray(at, at + PIECE), formatValue).join(',');
    await text(sink, at === 0 ? numbers : `,${numbers}`);
  }
  await text(sink, ']}');
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}

async function text(sink: FileSink, content: string): Promise<void> {
  await sink.append(Buffer.from(content, 'utf8'));
}
