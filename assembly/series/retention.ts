/** Giving back what is old: by retention, by memory cap, by `POST /api/free`. Whole blocks only, never anything newer. */
import { Entry, dropFirst, firstBin } from './blocks';
import {
  blockCountOf,
  openLength,
  openStart,
  seriesAnchor,
  seriesByNumber,
  seriesEnd,
  seriesFrequency,
  seriesIsEmpty,
  seriesNode,
  setOpenLength,
  seriesNextInNode,
} from './series';
import { seriesRemove } from './remove';
import { rollupsDrop } from '../read/rollup-cache';
import { DEPTH_HOST, nodeDepth, nodeFind, nodeFirstSeries, nodeParent, nodeWalk, root, nodeIsKept, nodeKeep, nodeFirstChild } from './tree';

/** Drops the series' blocks that end at or before `to` (unix seconds); the series itself when nothing is left. Returns how many. */
export function freeBefore(s: usize, to: i64): i32 {
  const f = <i64>seriesFrequency(s);
  const anchor = seriesAnchor(s);
  const blocks = blockCountOf(s);
  let n = 0;
  while (n < blocks) {
    const e = Entry.at(s, n);
    if (anchor + <i64>(Entry.start(e) + Entry.count(e)) * f > to) break;
    n++;
  }
  let freed = n;
  if (n) dropFirst(s, n);
  if (n == blocks && openLength(s) && anchor + <i64>(openStart(s) + openLength(s)) * f <= to) {
    setOpenLength(s, 0);
    freed++;
  }
  if (seriesIsEmpty(s)) seriesRemove(s);
  return freed;
}

/** `freeBefore` for every series at or below the node. */
export function freeBelow(top: usize, to: i64): i32 {
  let freed = 0;
  let node = top;
  // Removal may take nodes away, so the next one is found first; the parent outlives its children's visit.
  while (node) {
    const below = nodeFirstChild(node);
    const next = below ? below : nodeWalk(node, top, false);
    let s = nodeFirstSeries(node);
    while (s) {
      const after = seriesNextInNode(s);
      freed += freeBefore(s, to);
      s = after;
    }
    node = next;
  }
  return freed;
}

/** Spares a host in the next `retain` pass. */
export function keepHost(cluster: usize, clusterLength: i32, host: usize, hostLength: i32): void {
  const c = nodeFind(root, cluster, clusterLength);
  const h = c ? nodeFind(c, host, hostLength) : 0;
  if (h) nodeKeep(h, true);
}

/** Blocks freed by the last `retainStep`. */
export let retainFreed: i32 = 0;

/**
 * `freeBefore` for series [from, from + n) by number, kept hosts excepted.
 * @returns where to go on; -1 at the end.
 */
export function retainStep(from: u32, n: u32, to: f64): f64 {
  retainFreed = 0;
  const end = min(from + n, seriesEnd);
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    let node = seriesNode(s);
    while (nodeDepth(node) > DEPTH_HOST) node = nodeParent(node);
    if (!nodeIsKept(node)) retainFreed += freeBefore(s, <i64>to);
  }
  return end < seriesEnd ? <f64>end : -1;
}

/** Ends a pass: no host is spared any longer, and no roll-up of what was freed is kept. */
export function retainEnd(): void {
  rollupsDrop();
  let node: usize = root;
  while (node) {
    if (nodeDepth(node) == DEPTH_HOST) nodeKeep(node, false);
    node = nodeWalk(node, root, nodeDepth(node) < DEPTH_HOST);
  }
}

/** Start of the oldest block in unix seconds; Infinity when there is none. */
export function oldestTime(): f64 {
  let oldest = f64.MAX_VALUE;
  for (let i: u32 = 0; i < seriesEnd; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    oldest = min(oldest, <f64>(seriesAnchor(s) + <i64>firstBin(s) * <i64>seriesFrequency(s)));
  }
  return oldest;
}
