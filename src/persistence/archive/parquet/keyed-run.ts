import type { SeriesRun } from '../../reference/types.js';
import { scopeOf } from './scope.js';

/** The columns by which an archive is sorted, without the timestamp. */
export interface SeriesKey {
  host: string;
  metric: string;
  scope: string;
  scopeId: string;
}

/** A run on its way into an archive. */
export interface KeyedRun extends SeriesKey {
  /**
   * Which series it is, for two may share a key (`socket0` below another level): the names of its levels. `EXISTING`
   * for rows of an archive that is being added to, which keeps keys only.
   */
  source: string;
  frequency: number;
  start: number;
  values: Float64Array;
  /** Order of arrival: where runs of a source overlap, the later one counts. */
  rank: number;
}

/** No level is named like this: control characters are refused on every way in. */
export const EXISTING = '\u0000existing';

/** Numbers the runs and gives them their keys; leaves out those without a sample. Throws for another cluster's runs. */
export async function* keyRuns(
  runs: AsyncIterable<SeriesRun> | Iterable<SeriesRun>,
  cluster: string,
): AsyncGenerator<KeyedRun> {
  let rank = 0;
  for await (const run of runs) {
    if (run.cluster !== cluster) {
      throw new Error(`run of cluster ${run.cluster} in the archive of ${cluster}, expected one cluster a file`);
    }
    if (run.values.every(Number.isNaN)) continue;
    const { host, levels, metric, frequency, start, values } = run;
    yield { host, metric, ...scopeOf(levels), source: levels.join('\u0001'), frequency, start, values, rank: rank++ };
  }
}

/** By the archive's order; negative if `a` comes first. */
export function compareKeys(a: SeriesKey, b: SeriesKey): number {
  return (
    compareText(a.host, b.host) ||
    compareText(a.metric, b.metric) ||
    compareText(a.scope, b.scope) ||
    compareText(a.scopeId, b.scopeId)
  );
}

/** By key, then time, then arrival. */
export function compareRuns(a: KeyedRun, b: KeyedRun): number {
  return compareKeys(a, b) || a.start - b.start || a.rank - b.rank;
}

/** By UTF-8 bytes, as every reader of Parquet compares; JavaScript's `<` puts surrogates before U+E000. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const isPair = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    return isPair(x) === isPair(y) ? x - y : isPair(x) ? 1 : -1;
  }
  return a.length - b.length;
}
