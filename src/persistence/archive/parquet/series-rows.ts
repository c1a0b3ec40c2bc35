import { EXISTING, type KeyedRun } from './keyed-run.js';

export interface Row {
  timestamp: number;
  frequency: number;
  value: number;
}

/**
 * Turns the runs of one key, sorted, into rows, sorted by time, without missing bins. Within a series a time occurs
 * once: the run that arrived last counts. Rows that an archive has already are not doubled: one with the time and
 * value of a new row is that row, one with another value at the time of a new row is overwritten by it.
 */
export function* seriesRows(runs: readonly KeyedRun[]): Generator<Row> {
  if (areConsecutive(runs)) {
    for (const run of runs) yield* runRows(run);
  } else {
    yield* reconcile(runs);
  }
}

/** Fast path, nearly always: one series, each run after the other. */
function areConsecutive(runs: readonly KeyedRun[]): boolean {
  let end = Number.NEGATIVE_INFINITY;
  for (const run of runs) {
    if (run.source !== runs[0]?.source || run.start < end) return false;
    end = run.start + (run.values.length - 1) * run.frequency + 1;
  }
  return true;
}

function* runRows({ start, frequency, values }: KeyedRun): Generator<Row> {
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (!Number.isNaN(value)) yield { timestamp: start + k * frequency, frequency, value };
  }
}

/** Slow path: overlaps, several series of one key, an archive that is added to. */
function reconcile(runs: readonly KeyedRun[]): Row[] {
  const old: Row[] = [];
  const bySource = new Map<string, Map<number, Row>>();
  for (const run of [...runs].sort((a, b) => a.rank - b.rank)) {
    if (run.source === EXISTING) {
      for (const row of runRows(run)) old.push(row);
      continue;
    }
    const series = bySource.get(run.source) ?? new Map<number, Row>();
    bySource.set(run.source, series);
    for (const row of runRows(run)) series.set(row.timestamp, row);
  }
  const fresh = [...bySource.values()].flatMap((series) => [...series.values()]);
  return [...fresh, ...keepOld(old, fresh)].sort((a, b) => a.timestamp - b.timestamp);
}

/** The old rows that no new row repeats or overwrites. */
function keepOld(old: readonly Row[], fresh: readonly Row[]): Row[] {
  const unmatched = new Map<number, Row[]>();
  for (const row of fresh) {
    const same = unmatched.get(row.timestamp);
    if (same === undefined) unmatched.set(row.timestamp, [row]);
    else same.push(row);
  }
  const different: Row[] = [];
  for (const row of old) {
    const same = unmatched.get(row.timestamp) ?? [];
    const twin = same.findIndex((other) => Object.is(other.value, row.value));
    if (twin >= 0) same.splice(twin, 1);
    else different.push(row);
  }
  return different.filter((row) => unmatched.get(row.timestamp)?.pop() === undefined);
}
