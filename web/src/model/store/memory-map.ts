/** The picture of who eats the memory: a rectangle a metric, cut into its levels. */
import { GROUPS, groupOf, type MetricGroup } from '../values/metrics.js';
import type { MetricShare, Share } from './contents.js';
import { layoutTreemap, type Rectangle } from './treemap.js';

/** Above the levels of a metric, for its name; where a metric is lower than twice that, its name lies on its levels. */
const NAME = 18;
/** Between metrics. */
const GAP = 2;
/** Width of a character, roughly. */
const CHARACTER = 7.8;

export interface LevelRectangle extends Rectangle {
  share: Share;
  /** What fits into it; empty: nothing. */
  text: string;
}

export interface MetricRectangle extends Rectangle {
  metric: string;
  group: MetricGroup;
  /** The metric's name where it fits; empty: it does not. */
  name: string;
  /** Within the page, not within the metric. */
  levels: LevelRectangle[];
}

export function layoutMemoryMap(metrics: readonly MetricShare[], width: number, height: number): MetricRectangle[] {
  const room = { x: 0, y: 0, width, height };
  return layoutTreemap(metrics, ({ bytes }) => bytes, room).map(({ item, ...outer }) => {
    const own = inset(outer, GAP);
    const hasName = own.height >= NAME && fits(item.metric, own.width);
    const isTall = hasName && own.height >= 2 * NAME;
    const below = isTall ? { ...own, y: own.y + NAME, height: own.height - NAME } : own;
    const levels = layoutTreemap(item.levels, ({ bytes }) => bytes, below).map(({ item: share, ...place }) => ({
      ...place,
      share,
      text: isTall && place.height >= NAME && fits(levelName(share.level), place.width) ? levelName(share.level) : '',
    }));
    return { ...own, metric: item.metric, group: groupOf(item.metric), name: hasName ? item.metric : '', levels };
  });
}

/** How a level is named: the node itself has none. */
export function levelName(level: string): string {
  return level === '' ? 'node' : level;
}

/** Groups that there are, in their usual order: the legend. */
export function groupsOf(metrics: readonly MetricShare[]): MetricGroup[] {
  const there = new Set(metrics.map(({ metric }) => groupOf(metric)));
  return GROUPS.filter((group) => there.has(group));
}

function fits(text: string, width: number): boolean {
  return text.length * CHARACTER + 8 <= width;
}

function inset({ x, y, width, height }: Rectangle, gap: number): Rectangle {
  return { x, y, width: Math.max(1, width - gap), height: Math.max(1, height - gap) };
}
