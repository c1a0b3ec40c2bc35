/** Counters, which only grow: what is worth seeing is how fast. */
import type { Grid } from '../series/grid.js';
import type { Unit } from './units.js';

/** What collectors count since the node's start. Names of rates end otherwise (`_bw`). */
const COUNTED = /bytes|pkts|packets|^ib_(recv|xmit)|^(lustre|nfs|gpfs|beegfs)|requests|errors|_reads$|_writes$/;
/** Falls among so many steps that are still a counter's: nodes are started anew. */
const RESETS = 0.02;

/** Whether the metric is named and behaves like a counter: all rows of the grid grow. */
export function isCounter(metric: string, grid: Grid): boolean {
  if (!COUNTED.test(metric)) return false;
  let [steps, falls, rises] = [0, 0, 0];
  for (const name of grid.nodes) {
    let last = Number.NaN;
    for (const value of grid.row(name) ?? []) {
      if (Number.isNaN(value)) continue;
      if (!Number.isNaN(last)) {
        steps++;
        if (value < last) falls++;
        if (value > last) rises++;
      }
      last = value;
    }
  }
  return steps > 1 && rises > steps / 4 && falls <= RESETS * steps;
}

/** What each value is more than the one before it, a second; NaN after a gap, and where the counter began anew. */
export function ratesOf(values: ArrayLike<number>, step: number): Float64Array {
  const rates = new Float64Array(values.length).fill(Number.NaN);
  for (let i = 1; i < values.length; i++) {
    const rise = (values[i] ?? Number.NaN) - (values[i - 1] ?? Number.NaN);
    if (rise >= 0) rates[i] = rise / step;
  }
  return rates;
}

/** `B/s` of `B`. */
export function rateUnit(unit: Unit): Unit {
  return { ...unit, name: unit.name === '' ? '/s' : `${unit.name}/s` };
}
