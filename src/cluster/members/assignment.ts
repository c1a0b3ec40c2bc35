/**
 * Which stores a partition's copies belong to: weighted rendezvous hashing. Each store and partition make a number; the stores
 * with the greatest ones own the partition, those of other zones first. Everybody comes to the same result from the same table
 * of members, and a store that comes or goes moves its own share and nothing else.
 */
import { createHash } from 'node:crypto';

export interface Candidate {
  id: string;
  zone: string;
  /** Share of partitions; 0: none. */
  weight: number;
}

/** The greater, the rather the store owns the partition: -weight / ln(u) of a uniform u, after Thaler and Ravishankar. */
function score({ id, weight }: Candidate, partition: number): number {
  const digest = createHash('sha256').update(`${id} ${partition}`).digest();
  const uniform = (digest.readUInt32BE(0) * 2 ** 20 + (digest.readUInt32BE(4) >>> 12) + 0.5) / 2 ** 52;
  return -weight / Math.log(uniform);
}

/** The owners of a partition, the first one first; fewer than `replicas` when there are no more candidates. */
export function ownersOf(partition: number, candidates: readonly Candidate[], replicas: number): string[] {
  const ranked = candidates
    .filter(({ weight }) => weight > 0)
    .map((candidate) => ({ candidate, score: score(candidate, partition) }))
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? -1 : 1))
    .map(({ candidate }) => candidate);
  const zones = new Set<string>();
  const first: Candidate[] = [];
  const others: Candidate[] = [];
  for (const candidate of ranked) {
    (zones.has(candidate.zone) ? others : first).push(candidate);
    zones.add(candidate.zone);
  }
  return [...first, ...others].slice(0, replicas).map(({ id }) => id);
}
