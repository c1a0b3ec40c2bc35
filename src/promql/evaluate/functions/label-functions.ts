/** Functions that change or order series by their labels and do not look at samples. */

import { filterInTurns, mapInTurns, sortInTurns, type Turns } from '../../../base/turns.js';
import { compileFullMatch } from '../../parse/matcher.js';
import { Labels } from '../labels.js';
import { ExecutionError, isPresent, joinEqualLabels, type Row } from '../rows.js';
import type { QueryRun } from '../run.js';
import { compareNaturally } from './natural-order.js';

function checkLabelName(name: string, what: string): void {
  // Any UTF-8 is a name; what was none has become U+FFFD.
  if (name === '' || name.includes('\ufffd')) throw new ExecutionError(`${what}: ${name}`);
}

type Groups = readonly (string | undefined)[];

/** Go's Regexp.Expand: `$1`, `${1}`, `$name` (as long as possible), `$$`. Unknown groups are empty. */
function expand(template: string, groups: Groups, named: ReadonlyMap<string, number>): string {
  return template.replace(/\$(?:(\$)|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g, (_, dollar, braced, bare) => {
    if (dollar !== undefined) return '$';
    const name: string = braced ?? bare;
    const index = /^\d+$/.test(name) ? Number(name) : named.get(name);
    return index === undefined ? '' : (groups[index] ?? '');
  });
}

/** `label_replace(v, destination, replacement, source, pattern)`. @throws ExecutionError; what `run.pause()` does. */
export async function replaceLabel(rows: readonly Row[], args: readonly string[], run: QueryRun): Promise<Row[]> {
  const [destination = '', replacement = '', source = '', pattern = ''] = args;
  let compiled: ReturnType<typeof compileFullMatch>;
  try {
    compiled = compileFullMatch(pattern);
  } catch {
    throw new ExecutionError(`invalid regular expression in label_replace(): ${pattern}`);
  }
  checkLabelName(destination, 'invalid destination label name in label_replace()');
  const named = new Map(Object.entries(compiled.namedGroups()));
  const known = new Map<string, string | undefined>();
  const replaced = (value: string): string | undefined => {
    const matcher = compiled.matcher(value);
    if (!matcher.find()) return undefined;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? undefined);
    return expand(replacement, groups, named);
  };
  const results: Row[] = [];
  for (const row of rows) {
    const value = row.labels.get(source);
    if (!known.has(value)) known.set(value, replaced(value));
    const result = known.get(value);
    results.push(result === undefined ? row : { ...row, labels: row.labels.with(destination, result) });
    if (run.due()) await run.pause();
  }
  return joinEqualLabels(results, run);
}

/** `label_join(v, destination, separator, sources...)`. @throws ExecutionError; what `turns.pause()` does. */
export async function joinLabels(rows: readonly Row[], args: readonly string[], turns: Turns): Promise<Row[]> {
  const [destination = '', separator = '', ...sources] = args;
  for (const source of sources) checkLabelName(source, 'invalid source label name in label_join()');
  checkLabelName(destination, 'invalid destination label name in label_join()');
  const joined = await mapInTurns(
    rows,
    (row) => {
      const value = sources.map((source) => row.labels.get(source)).join(separator);
      return { ...row, labels: row.labels.with(destination, value) };
    },
    turns,
  );
  return joinEqualLabels(joined, turns);
}

/** By the value at the only step; NaN last in both directions. @throws what `turns.pause()` does. */
export async function sortByValue(rows: readonly Row[], descending: boolean, turns: Turns): Promise<Row[]> {
  const value = (row: Row) => row.values[0] ?? Number.NaN;
  const sign = descending ? -1 : 1;
  const compare = (a: Row, b: Row): number => {
    const [left, right] = [value(a), value(b)];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return sign * (left < right ? -1 : left > right ? 1 : 0);
  };
  return sortInTurns(await filterInTurns(rows, ({ present }) => isPresent(present, 0), turns), compare, turns);
}

/** By the natural order of the given labels, then by all labels. @throws what `turns.pause()` does. */
export function sortByLabels(
  rows: readonly Row[],
  names: readonly string[],
  descending: boolean,
  turns: Turns,
): Promise<Row[]> {
  const sign = descending ? -1 : 1;
  const compare = (a: Row, b: Row): number => {
    for (const name of names) {
      const order = compareNaturally(a.labels.get(name), b.labels.get(name));
      if (order !== 0) return sign * order;
    }
    return sign * a.labels.compare(b.labels);
  };
  return sortInTurns(rows, compare, turns);
}

/** Labels that `absent` gives its series: those that a selector asks for with `=`, once. */
export function absentLabels(matchers: readonly { label: string; operator: string; value: string }[]): Labels {
  const pairs = new Map<string, string>();
  const seen = new Set<string>();
  for (const { label, operator, value } of matchers) {
    if (label === '__name__') continue;
    if (operator === '=' && !seen.has(label)) {
      seen.add(label);
      pairs.set(label, value);
    } else {
      pairs.delete(label);
    }
  }
  return Labels.from(pairs);
}
