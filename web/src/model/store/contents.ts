/** Who eats the memory: what is held, added up. */

export interface Counts {
  series: number;
  samples: number;
  /** Of samples: open and sealed blocks. */
  bytes: number;
  /** Sealed blocks by codec. */
  blocks: Record<string, number>;
}

/** As GET /api/contents answers: what is held of a metric at a level of a cluster. */
export interface Contents extends Counts {
  cluster: string;
  metric: string;
  /** Empty: the node itself. */
  level: string;
}

/** What is held of a metric at a level, of all clusters that were asked for. */
export type Share = Omit<Contents, 'cluster'>;

/** What is held of a metric, and its levels, the largest first. */
export interface MetricShare extends Counts {
  metric: string;
  levels: Share[];
}

/** Each metric, and each of its levels, once, the largest first. @param cluster only of this one; empty: of all. */
export function byMetric(contents: readonly Contents[], cluster: string): MetricShare[] {
  const own = contents.filter((part) => cluster === '' || part.cluster === cluster);
  const levels = addUp(own, ({ metric, level }) => JSON.stringify([metric, level]));
  return addUp(levels, ({ metric }) => metric).map(({ metric, series, samples, bytes, blocks }) => ({
    metric,
    series,
    samples,
    bytes,
    blocks,
    levels: levels.filter((share) => share.metric === metric),
  }));
}

/** Each cluster once, the largest first. */
export function byCluster(contents: readonly Contents[]): Omit<Contents, 'metric' | 'level'>[] {
  return addUp(contents, ({ cluster }) => cluster);
}

/** The parts of the same key as one, which has the names of the first; the largest first. */
function addUp<T extends Counts>(parts: readonly T[], keyOf: (part: T) => string): T[] {
  const sums = new Map<string, T>();
  for (const part of parts) {
    const sum = sums.get(keyOf(part));
    if (sum === undefined) {
      sums.set(keyOf(part), { ...part, blocks: { ...part.blocks } });
      continue;
    }
    sum.series += part.series;
    sum.samples += part.samples;
    sum.bytes += part.bytes;
    for (const [codec, count] of Object.entries(part.blocks)) sum.blocks[codec] = (sum.blocks[codec] ?? 0) + count;
  }
  return [...sums.values()].toSorted((a, b) => b.bytes - a.bytes);
}

/** How the blocks are packed: the codecs, the commonest first, each with its share where there are several. @param most that are named. */
export function codecsText(blocks: Readonly<Record<string, number>>, most = Number.POSITIVE_INFINITY): string {
  const counts = Object.entries(blocks)
    .filter(([, count]) => count > 0)
    .toSorted((a, b) => b[1] - a[1]);
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  if (counts.length === 0) return 'open blocks only';
  if (counts.length === 1) return counts[0]?.[0] ?? '';
  const named = counts
    .slice(0, most)
    .map(([codec, count]) => `${codec} ${Math.max(1, Math.round((100 * count) / sum))} %`);
  return [...named, ...(counts.length > most ? ['…'] : [])].join(', ');
}
