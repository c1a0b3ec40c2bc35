/** Nodes grouped by what their names say about where they stand: racks, islands, chassis. */

export interface Group {
  /** What the names begin with; empty: one block of everything. */
  name: string;
  /** In the order of their names. */
  nodes: string[];
}

/** A group of fewer is no rack, and of more none either. */
const SMALLEST = 2;
const LARGEST = 128;

const byName = new Intl.Collator('en', { numeric: true });

/** Numbers in names count as numbers: f2 before f10. */
export function compareNames(a: string, b: string): number {
  return byName.compare(a, b);
}

/**
 * `f0101` and `f0132` stand in `f01`, `rack1n01` in `rack1`: what is before the last number, or before its last two digits
 * where the numbers have four and more. Where that makes no groups of a rack's size, the letters in front do.
 */
export function groupNodes(names: readonly string[], by: 'names' | 'none' = 'names'): Group[] {
  const sorted = names.toSorted(compareNames);
  if (by === 'none') return sorted.length === 0 ? [] : [{ name: '', nodes: sorted }];
  const racks = collect(sorted, rackOf);
  const sizes = racks.map(({ nodes }) => nodes.length).sort((a, b) => a - b);
  const typical = sizes[sizes.length >> 1] ?? 0;
  if (typical >= SMALLEST && typical <= LARGEST) return racks;
  return collect(sorted, (name) => /^\D*/.exec(name)?.[0] ?? '');
}

function rackOf(name: string): string {
  const match = /^(.*?)(\d+)\D*$/.exec(name);
  if (match === null) return name;
  const [, before = '', digits = ''] = match;
  // A number further in front counts racks already.
  if (/\d/.test(before)) return before.replace(/[^\p{L}\d]*\p{L}*$/u, '');
  return digits.length >= 4 ? before + digits.slice(0, -2) : before;
}

function collect(names: readonly string[], groupOf: (name: string) => string): Group[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const group = groupOf(name);
    const nodes = groups.get(group);
    if (nodes === undefined) groups.set(group, [name]);
    else nodes.push(name);
  }
  return [...groups].map(([name, nodes]) => ({ name, nodes }));
}
