/** Nodes, metrics and views by a part of their names. */
import type { View } from './views.js';
import { VIEW_NAMES } from './views.js';

export type Hit = { kind: 'node' | 'metric'; name: string } | { kind: 'view'; name: string; view: View };

const MOST = 12;

/** The best ones first: those that begin with the text, then those that hold it. Empty: the views. */
export function searchAll(
  text: string,
  { nodes, metrics }: { nodes: readonly string[]; metrics: readonly string[] },
): Hit[] {
  const wanted = text.trim().toLowerCase();
  const views: Hit[] = VIEW_NAMES.map(({ view, name }) => ({ kind: 'view', name, view }));
  if (wanted === '') return views;
  const all: Hit[] = [
    ...views,
    ...metrics.map((name): Hit => ({ kind: 'metric', name })),
    ...nodes.map((name): Hit => ({ kind: 'node', name })),
  ];
  const ranked = all.map((hit) => ({ hit, at: hit.name.toLowerCase().indexOf(wanted) })).filter(({ at }) => at >= 0);
  return ranked
    .toSorted((a, b) => Number(a.at > 0) - Number(b.at > 0) || a.hit.name.length - b.hit.name.length)
    .slice(0, MOST)
    .map(({ hit }) => hit);
}
