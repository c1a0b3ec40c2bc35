/** Orders of the matrix's rows. */

import { compareNames } from '../nodes/groups.js';
import { mean } from '../values/statistics.js';
import type { Grid } from './grid.js';
import { resampleRows } from './resample.js';

export type Order = 'name' | 'value' | 'likeness';

/** Values of a row that likeness looks at. */
const FEATURES = 32;
/** Comparing all with all takes the square of their number: more rows are ordered by value. */
const MOST_COMPARED = 3000;

/** Names of the rows, in order: by value the highest mean first; by likeness each beside the one that it resembles most. */
export function orderRows(grid: Grid, order: Order): string[] {
  if (order === 'name') return grid.nodes.toSorted(compareNames);
  const means = new Map(grid.nodes.map((node) => [node, mean(grid.row(node) ?? [])]));
  const byValue = grid.nodes.toSorted((a, b) => (means.get(b) ?? 0) - (means.get(a) ?? 0) || compareNames(a, b));
  if (order === 'value' || byValue.length > MOST_COMPARED) return byValue;
  return chain(byValue, featuresOf(grid, byValue));
}

/** The rows in few values, one after the other; missing ones are as the mean. */
function featuresOf(grid: Grid, nodes: readonly string[]): Float64Array {
  const features = new Float64Array(nodes.length * FEATURES);
  for (const [i, node] of nodes.entries()) {
    const own = features.subarray(i * FEATURES, (i + 1) * FEATURES);
    resampleRows([grid.row(node)], grid.columns, 'mean', own);
    const middle = mean(own);
    for (let k = 0; k < FEATURES; k++) if (Number.isNaN(own[k])) own[k] = middle;
  }
  return features;
}

/** From the first on always to the nearest that is left. */
function chain(nodes: readonly string[], features: Float64Array): string[] {
  const left = nodes.map((_, i) => i);
  const ordered: string[] = [];
  for (let at = left.shift(); at !== undefined; ) {
    ordered.push(nodes[at] ?? '');
    let [nearest, least] = [-1, Number.POSITIVE_INFINITY];
    for (const [i, other] of left.entries()) {
      let distance = 0;
      for (let k = 0; k < FEATURES && distance < least; k++) {
        const difference = (features[at * FEATURES + k] ?? 0) - (features[other * FEATURES + k] ?? 0);
        distance += difference * difference;
      }
      if (distance < least) [nearest, least] = [i, distance];
    }
    at = nearest < 0 ? undefined : left.splice(nearest, 1)[0];
  }
  return ordered;
}
