/** The labels of the store's series. */

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

/** @param levels cluster, host, level, sub-level, as far as there are any. */
export function labelsOf(metric: string, levels: readonly string[]): Labels {
  return Labels.from([[METRIC_NAME, metric], ...levelPairs(levels)]);
}
