/** The labels of the store's series. */

import type { LeafAnswerPart } from '../../store/store.js';
import { Labels, METRIC_NAME } from '../evaluate/labels.js';
import { splitLevel } from './level-name.js';

/** All labels that a series may have, besides the metric's name. */
export const LEVEL_LABELS = ['cluster', 'hostname', 'type', 'type_id', 'stype', 'stype_id'] as const;

/** Names that are kept split: the levels of hosts are the same few. */
const MOST_SPLIT = 4096;

/** Types and ids of names, made once a name: of lists of all series they would be most of the memory. */
class SplitNames {
  readonly #known = new Map<string, readonly [type: string, id: string]>();

  constructor(readonly listed: boolean) {}

  of(name: string): readonly [type: string, id: string] {
    let split = this.#known.get(name);
    if (split === undefined) {
      split = splitLevel(name, this.listed);
      if (this.#known.size >= MOST_SPLIT) this.#known.clear();
      this.#known.set(name, split);
    }
    return split;
  }
}

const splitLevels = new SplitNames(true);
const splitSubLevels = new SplitNames(false);

/** Labels by name that the levels of a series have, without the metric. Empty ones are left out. */
function levelPairs([cluster = '', host = '', level, sub]: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [
    ['cluster', cluster],
    ['hostname', host],
  ];
  if (level === undefined) return [...pairs, ['type', 'node']];
  const [type, id] = splitLevels.of(level);
  pairs.push(['type', type], ['type_id', id]);
  if (sub === undefined) return pairs;
  const [subtype, subId] = splitSubLevels.of(sub);
  return [...pairs, ['stype', subtype], ['stype_id', subId]];
}

/** Names of the labels of a host's, a level's and a sub-level's series, sorted. */
const HOST_NAMES = [METRIC_NAME, 'cluster', 'hostname', 'type'];
const LEVEL_NAMES = [...HOST_NAMES, 'type_id'];
const SUB_LEVEL_NAMES = [METRIC_NAME, 'cluster', 'hostname', 'stype', 'stype_id', 'type', 'type_id'];

function labelsOf({ series: { levels, metric } }: LeafAnswerPart): Labels {
  const [cluster = '', host = '', level, sub] = levels;
  const [type, id] = level === undefined ? ['node', 'none'] : splitLevels.of(level);
  const [subtype, subId] = sub === undefined ? ['none', 'none'] : splitSubLevels.of(sub);
  // Few lack one of these; the others are made without sorting.
  if (metric === '' || cluster === '' || host === '' || type === '' || id === '' || subtype === '' || subId === '') {
    return Labels.from([[METRIC_NAME, metric], ...levelPairs(levels)]);
  }
  if (level === undefined) return Labels.ofSorted(HOST_NAMES, [metric, cluster, host, type]);
  if (sub === undefined) return Labels.ofSorted(LEVEL_NAMES, [metric, cluster, host, type, id]);
  return Labels.ofSorted(SUB_LEVEL_NAMES, [metric, cluster, host, subtype, subId, type, id]);
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
