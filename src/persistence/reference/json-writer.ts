import { writeAtomically } from './atomic-file.js';
import type { Window } from './bin-reader.js';
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
  await writeAtomically(path, async (sink) => {
    for (const piece of checkpointText(tree, { from, to })) await sink.append(Buffer.from(piece, 'utf8'));
  });
  return path;
}

/**
 * The text of a checkpoint in pieces, each of at most 8192 values. The window comes last, as the reference writes it:
 * readers find it there without parsing the rest.
 */
export function* checkpointText(tree: TreeLevel, { from, to }: Window): Generator<string> {
  yield* levelText(tree, `"from":${from},"to":${to}}`);
  yield '\n';
}

function* levelText(level: TreeLevel, window: string): Generator<string> {
  let separator = '{"metrics":{';
  for (const [name, series] of level.metrics) {
    yield `${separator}${JSON.stringify(name)}:`;
    yield* seriesText(series);
    separator = ',';
  }
  yield `${level.metrics.size === 0 ? separator : ''}},"children":{`;
  separator = '';
  for (const [name, child] of level.children) {
    yield `${separator}${JSON.stringify(name)}:`;
    yield* levelText(child, window);
    separator = ',';
  }
  yield `},${window}`;
}

function* seriesText({ frequency, start, values }: TreeSeries): Generator<string> {
  yield `{"frequency":${frequency},"start":${start},"data":[`;
  for (let at = 0; at < values.length; at += PIECE) {
    const numbers = Array.from(values.subarray(at, at + PIECE), formatValue).join(',');
    yield at === 0 ? numbers : `,${numbers}`;
  }
  yield ']}';
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
