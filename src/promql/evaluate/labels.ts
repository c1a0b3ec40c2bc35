/** Sets of labels: sorted by name, without empty values, compared as bytes. */

import { quote } from '../parse/quote.js';

export const METRIC_NAME = '__name__';

/** By the bytes of their UTF-8: below 0, 0 or above 0. JavaScript compares UTF-16, where surrogates come too early. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    return unitRank(left) - unitRank(right);
  }
  return a.length - b.length;
}

/** Code units in the order of the code points that they begin. */
function unitRank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** A set of labels, never changed. Equal sets have equal keys. */
export class Labels {
  /** What `withoutName` gives, once it was asked for: labels of series are kept from query to query. */
  private unnamed: Labels | undefined;
  private joined: string | undefined;

  private constructor(
    /** In the order of bytes. */
    readonly names: readonly string[],
    /** Of the names, in the same order; none is empty. */
    readonly values: readonly string[],
  ) {}

  /** Names and values, one after the other; no name or value holds the separator, as it is no text. */
  get key(): string {
    if (this.joined === undefined) {
      let key = '';
      for (let at = 0; at < this.names.length; at++) key += `${this.names[at]}\u0000${this.values[at]}\u0000`;
      this.joined = key;
    }
    return this.joined;
  }

  static readonly none = new Labels([], []);

  /** @param names in the order of bytes, each once. @param values of the names, none of them empty. */
  static ofSorted(names: readonly string[], values: readonly string[]): Labels {
    return new Labels(names, values);
  }

  /** Pairs in any order; empty values are left out, the last of equal names counts. */
  static from(pairs: Iterable<readonly [string, string]>): Labels {
    const unique = new Map(pairs);
    const sorted = [...unique].filter(([, value]) => value !== '').sort(([a], [b]) => compareText(a, b));
    if (sorted.length === 0) return Labels.none;
    return new Labels(
      sorted.map(([name]) => name),
      sorted.map(([, value]) => value),
    );
  }

  /** The value of a label; empty when there is none. */
  get(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? '' : (this.values[at] ?? '');
  }

  get metricName(): string {
    return this.get(METRIC_NAME);
  }

  /** With one label set, or removed when the value is empty. */
  with(name: string, value: string): Labels {
    if (this.get(name) === value) return this;
    return Labels.from([...this.entries(), [name, value]]);
  }

  private filtered(keep: (name: string) => boolean): Labels {
    const names: string[] = [];
    const values: string[] = [];
    this.names.forEach((name, at) => {
      if (!keep(name)) return;
      names.push(name);
      values.push(this.values[at] ?? '');
    });
    if (names.length === this.names.length) return this;
    return names.length === 0 ? Labels.none : new Labels(names, values);
  }

  keep(names: ReadonlySet<string>): Labels {
    return this.filtered((name) => names.has(name));
  }

  drop(names: ReadonlySet<string>): Labels {
    return this.filtered((name) => !names.has(name));
  }

  /** Without the metric's name, and the type and unit that belong to it. */
  withoutName(): Labels {
    this.unnamed ??= this.drop(nameLabels);
    return this.unnamed;
  }

  entries(): [string, string][] {
    return this.names.map((name, at) => [name, this.values[at] ?? '']);
  }

  /** Pair by pair, names before values; the shorter set first. */
  compare(other: Labels): number {
    const length = Math.min(this.names.length, other.names.length);
    for (let at = 0; at < length; at++) {
      const byName = compareText(this.names[at] ?? '', other.names[at] ?? '');
      if (byName !== 0) return byName;
      const byValue = compareText(this.values[at] ?? '', other.values[at] ?? '');
      if (byValue !== 0) return byValue;
    }
    return this.names.length - other.names.length;
  }

  /** As in Prometheus's messages: `{a="b", c="d"}`. */
  toString(): string {
    return `{${this.entries()
      .map(([name, value]) => `${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name)}=${quote(value)}`)
      .join(', ')}}`;
  }
}

const nameLabels: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);
