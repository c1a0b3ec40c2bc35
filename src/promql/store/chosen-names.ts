/** Names that matchers have chosen, kept for as long as the list is that they were chosen from: until the tree changes. */

import type { Pace } from '../evaluate/pace.js';
import type { Matcher } from '../parse/matcher.js';

/** Choices that are kept of a list: dashboards ask the same few again and again. */
const MOST = 64;

export class ChosenNames {
  private readonly byList = new WeakMap<readonly string[], Map<string, readonly string[]>>();

  /**
   * The names that are taken. Between two of them other things may be done: a regular expression may take a millisecond a name.
   * @param names not changed while it is used. @param matchers all that `takes` goes by.
   * @throws what `pace.pause()` does.
   */
  async of(
    names: readonly string[],
    matchers: readonly Matcher[],
    takes: (name: string) => boolean,
    pace: Pace,
  ): Promise<readonly string[]> {
    const kept = this.keptOf(names);
    const key = JSON.stringify(matchers.map(({ label, operator, value }) => [label, operator, value]));
    const known = kept.get(key);
    if (known !== undefined) return known;
    const chosen: string[] = [];
    for (const name of names) {
      if (takes(name)) chosen.push(name);
      if (pace.due()) await pace.pause();
    }
    if (kept.size >= MOST) kept.clear();
    kept.set(key, chosen);
    return chosen;
  }

  private keptOf(names: readonly string[]): Map<string, readonly string[]> {
    const known = this.byList.get(names);
    if (known !== undefined) return known;
    const kept = new Map<string, readonly string[]>();
    this.byList.set(names, kept);
    return kept;
  }
}
