/** Figures, their medians over rounds, and the table that shows them. */

export interface Figure {
  /** Stable name in the JSON file. */
  key: string;
  /** What the table says. */
  label: string;
  unit: string;
  value: number;
  better: 'more' | 'less';
}

/** A figure of one server over all rounds. */
export interface Measured extends Omit<Figure, 'value'> {
  median: number;
  rounds: number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value below which `share` (0..1) of the others lie; NaN without any. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

/** Gathers the figures of several rounds by key, in the order of the first round that has them. */
export function summarise(rounds: readonly Figure[][]): Measured[] {
  const byKey = new Map<string, Measured>();
  for (const { value, ...figure } of rounds.flat()) {
    const measured = byKey.get(figure.key) ?? { ...figure, median: Number.NaN, rounds: [] };
    measured.rounds.push(value);
    byKey.set(figure.key, measured);
  }
  return [...byKey.values()].map((measured) => ({ ...measured, median: median(measured.rounds) }));
}

/** Three significant digits, thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 4) });
}

/** The table as text: the label first, then one column a server, then how many times better the first is than the second. */
export function table(servers: readonly { name: string; figures: readonly Measured[] }[]): string {
  const [first, second] = servers;
  if (first === undefined) return '';
  const head = ['', ...servers.map(({ name }) => name), ...(second === undefined ? [] : ['times better'])];
  const all = new Map(servers.toReversed().flatMap(({ figures }) => figures.map((figure) => [figure.key, figure])));
  const order = new Set(servers.flatMap(({ figures }) => figures.map(({ key }) => key)));
  const rows = [...order].map((key) => {
    const { label, unit, better } = all.get(key) ?? { label: key, unit: '', better: 'less' };
    const medians = servers.map(({ figures }) => figures.find((figure) => figure.key === key)?.median ?? Number.NaN);
    const cells = [`${label}, ${unit}`, ...medians.map(formatNumber)];
    if (second !== undefined) {
      const ratio = (medians[0] ?? Number.NaN) / (medians[1] ?? Number.NaN);
      cells.push(formatNumber(better === 'more' ? ratio : 1 / ratio));
    }
    return cells;
  });
  return columns([head, ...rows]);
}

/** Cells under each other: the first column to the left, the others to the right. */
export function columns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}
