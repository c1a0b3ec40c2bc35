/** Which rows belong together: `by` and `without` of aggregations, `on` and `ignoring` of operators. */

import type { Turns } from '../../../base/turns.js';
import { Labels, METRIC_NAME } from '../labels.js';

/** Chooses the labels that count. */
export interface Grouping {
  /** All labels but these; otherwise only these. */
  readonly without: boolean;
  readonly labels: readonly string[];
}

/** Finds the labels of a row's group, one object a group. */
export class Grouper {
  private readonly names: ReadonlySet<string>;

  constructor(private readonly grouping: Grouping) {
    // A group of different metrics has no name; `by (__name__)` keeps it.
    this.names = new Set(grouping.without ? [...grouping.labels, METRIC_NAME] : grouping.labels);
  }

  labelsOf(labels: Labels): Labels {
    if (this.grouping.without) return labels.drop(this.names);
    return this.names.size === 0 ? Labels.none : labels.keep(this.names);
  }
}

/** Rows by group, in the order in which the groups come first. */
export interface Groups {
  readonly labels: readonly Labels[];
  /** The index of each row's group. */
  readonly groupOf: Int32Array;
}

/** @throws what `turns.pause()` does. */
export async function groupRows(
  rows: readonly { readonly labels: Labels }[],
  grouping: Grouping,
  turns: Turns,
): Promise<Groups> {
  const grouper = new Grouper(grouping);
  const labels: Labels[] = [];
  const groupOf = new Int32Array(rows.length);
  const known = new Map<string, number>();
  for (const [index, row] of rows.entries()) {
    const group = grouper.labelsOf(row.labels);
    let at = known.get(group.key);
    if (at === undefined) {
      at = labels.push(group) - 1;
      known.set(group.key, at);
    }
    groupOf[index] = at;
    if (turns.due()) await turns.pause();
  }
  return { labels, groupOf };
}
