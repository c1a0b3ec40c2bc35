/**
 * Matchers of labels as filters of the tree's levels: what the core can look up by bytes. Regular expressions are matched
 * here, against the names that there are, once a name and not once a series, and once until the tree changes.
 */

import type { NameFilter } from '../../store/store.js';
import { METRIC_NAME } from '../evaluate/labels.js';
import type { Pace } from '../evaluate/pace.js';
import type { Matcher } from '../parse/matcher.js';
import { ChosenNames } from './chosen-names.js';
import { splitLevel } from './level-name.js';
import { LEVEL_LABELS } from './series-labels.js';

/** Which series a leaf means, as src/wasm/leaf.ts has it. */
export interface Selection {
  /** None: all. */
  readonly metrics: readonly string[];
  readonly levels: readonly NameFilter[];
  readonly depths: number;
}

const CLUSTER = 1;
const HOST = 2;
const LEVEL = 3;
const SUB_LEVEL = 4;

/** The names that there are in the tree. */
export interface TreeNames {
  /** At a depth: 1 clusters, 2 hosts, 3 levels, 4 sub-levels. @param isStrong see `QueryRequest`. */
  names(depth: number, isStrong: boolean): Promise<readonly string[]>;
}

function allMatch(matchers: readonly Matcher[], value: string): boolean {
  return matchers.every((matcher) => matcher.matches(value));
}

/** The words that a matcher asks for, or forbids; undefined for a regular expression that is more than words. */
function wordsOf({ operator, value, words }: Matcher): readonly string[] | undefined {
  if (operator === '=' || operator === '!=') return [value];
  return words === undefined ? undefined : [...words];
}

function isPositive({ operator }: Matcher): boolean {
  return operator === '=' || operator === '=~';
}

/** The values that labels may have by matchers that list them; undefined when none lists any. */
function candidates(matchers: readonly Matcher[]): string[] | undefined {
  const listing = matchers.find((matcher) => isPositive(matcher) && wordsOf(matcher) !== undefined);
  return listing === undefined ? undefined : wordsOf(listing)?.filter((value) => allMatch(matchers, value));
}

export class Selector {
  private readonly chosen = new ChosenNames();
  private readonly known: ReadonlySet<string> = new Set([METRIC_NAME, ...LEVEL_LABELS]);

  constructor(
    /** Names of all metrics that there can be. */
    private readonly metrics: readonly string[],
    private readonly tree: TreeNames,
  ) {}

  /**
   * What the matchers choose; undefined: nothing can match all of them.
   * @param isStrong see `QueryRequest`. @throws what `pace.pause()` does.
   */
  async select(matchers: readonly Matcher[], isStrong: boolean, pace: Pace): Promise<Selection | undefined> {
    const of = (label: string) => matchers.filter((matcher) => matcher.label === label);
    // Labels that no series has are empty.
    if (!matchers.every((matcher) => this.known.has(matcher.label) || matcher.matches(''))) return undefined;
    const metrics = await this.chosenOf(this.metrics, of(METRIC_NAME), pace);
    if (metrics.length === 0) return undefined;
    const clusters = await this.plainFilter(of('cluster'), CLUSTER, isStrong, pace);
    const hosts = await this.plainFilter(of('hostname'), HOST, isStrong, pace);
    const levels = await this.splitFilter(of('type'), of('type_id'), LEVEL, isStrong, pace);
    const subLevels = await this.splitFilter(of('stype'), of('stype_id'), SUB_LEVEL, isStrong, pace);
    const noSub = allMatch([...of('stype'), ...of('stype_id')], '');
    let depths = 0;
    if (noSub && allMatch(of('type'), 'node') && allMatch(of('type_id'), '')) depths |= 1 << HOST;
    if (noSub && !isNone(levels)) depths |= 1 << LEVEL;
    if (!isNone(levels) && !isNone(subLevels)) depths |= 1 << SUB_LEVEL;
    if (depths === 0 || isNone(clusters) || isNone(hosts)) return undefined;
    const named = metrics.length === this.metrics.length ? [] : metrics;
    return { metrics: named, levels: [clusters, hosts, levels, subLevels], depths };
  }

  private async plainFilter(
    matchers: readonly Matcher[],
    depth: number,
    isStrong: boolean,
    pace: Pace,
  ): Promise<NameFilter> {
    if (matchers.length === 0) return undefined;
    const listed = candidates(matchers);
    if (listed !== undefined) return { only: listed };
    const words = matchers.map(wordsOf);
    if (words.every((list) => list !== undefined)) return { allBut: words.flat() };
    return { only: await this.chosenOf(await this.tree.names(depth, isStrong), matchers, pace) };
  }

  private chosenOf(names: readonly string[], matchers: readonly Matcher[], pace: Pace): Promise<readonly string[]> {
    return this.chosen.of(names, matchers, (name) => allMatch(matchers, name), pace);
  }

  /** Of a level, whose name is type and id in one. */
  private async splitFilter(
    types: readonly Matcher[],
    ids: readonly Matcher[],
    depth: number,
    isStrong: boolean,
    pace: Pace,
  ): Promise<NameFilter> {
    if (types.length === 0 && ids.length === 0) return undefined;
    const takes = (name: string) => {
      const [type, id] = splitLevel(name, depth === LEVEL);
      return allMatch(types, type) && allMatch(ids, id);
    };
    const listedTypes = candidates(types);
    const listedIds = candidates(ids);
    if (listedTypes !== undefined && listedIds !== undefined) {
      return { only: listedTypes.flatMap((type) => listedIds.map((id) => type + id)).filter(takes) };
    }
    const names = await this.tree.names(depth, isStrong);
    return { only: await this.chosen.of(names, [...types, ...ids], takes, pace) };
  }
}

function isNone(filter: NameFilter): boolean {
  return filter !== undefined && 'only' in filter && filter.only.length === 0;
}
