/** The labels of the store's series. */

import type { LeafAnswerPart } from '../../store/store.js';
import { Labels, METRIC_NAME } from '../evaluate/labels.js';
import { splitLevel } from './level-name.js';

/** All labels that a series may have, besides the metric's name. */
export const LEVEL_LABELS = ['cluster', 'hostname', 'type', 'type_id', 'stype', 'stype_id'] as const;

/** Labels by name that the levels of a series have, without the metric. Empty ones are left out. */
function levelPairs([cluster = '', host = '', level, sub]: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [
    ['cluster', cluster],
    ['hostname', host],
  ];
  if (level === undefined) return [...pairs, ['type', 'node']];
  const [type, id] = splitLevel(level, true);
  pairs.push(['type', type], ['type_id', id]);
  if (sub === undefined) return pairs;
  const [subtype, subId] = splitLevel(sub, false);
  return [...pairs, ['stype', subtype], ['stype_id', subId]];
}

function labelsOf({ series: { levels, metric } }: LeafAnswerPart): Labels {
  return Labels.from([[METRIC_NAME, metric], ...levelPairs(levels)]);
}

/** Labels that are kept; they take some 600 bytes each. */
const MOST_KEPT = 20_000;

/** Labels by the names of their series, made once: to make them takes longer than all that the core does for an instant query. */
export class SeriesLabels {
  private readonly kept = new Map<string, Labels>();

  /** Of a series, or of the first one of a group. */
  of(part: LeafAnswerPart): Labels {
    const known = this.kept.get(part.names);
    if (known !== undefined) return known;
    const labels = labelsOf(part);
    if (this.kept.size >= MOST_KEPT) this.kept.clear();
    this.kept.set(part.names, labels);
    return labels;
  }
}
