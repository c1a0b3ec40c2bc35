/** Giving back what is old: by retention, by memory cap, by `POST /api/free`. Whole blocks only, never anything newer. */
import { dropFirst, firstBin } from './blocks';
import { Node, Series } from './records';
import { seriesRemove } from './remove';
import { allSeries, nextStep, seriesByNumber } from './series';
import { DEPTH_HOST, hostOf, nodeFind, nodeWalk, root } from './tree';

/** Drops the series' blocks that end at or before `to` (unix seconds); the series itself when nothing is left. Returns how many. */
export function freeBefore(s: Series, to: i64): i32 {
  const blocks = s.blockCount;
  let n = 0;
  while (n < blocks && s.timeOf(s.block(n).end) <= to) n++;
  let freed = n;
  if (n) dropFirst(s, n);
  if (n == blocks && s.openLength && s.timeOf(s.openEnd) <= to) {
    s.openLength = 0;
    freed++;
  }
  if (s.isEmpty) seriesRemove(s);
  return freed;
}

/** `freeBefore` for every series at or below the node. */
export function freeBelow(top: Node, to: i64): i32 {
  let freed = 0;
  let node: Node | null = top;
  // Removal may take nodes away, so the next one is found first; the parent outlives its children's visit.
  while (node) {
    const next = nodeWalk(node, top, true);
    let s = node.firstSeries;
    while (s) {
      const after = s.nextInNode;
      freed += freeBefore(s, to);
      s = after;
    }
    node = next;
  }
  return freed;
}

/** Spares a host in the retention pass that comes. */
export function keepHost(cluster: usize, clusterLength: i32, host: usize, hostLength: i32): void {
  const c = nodeFind(root, cluster, clusterLength);
  const h = c ? nodeFind(c, host, hostLength) : null;
  if (h) h.isKept = true;
}

@unmanaged
class RetainStep {
  /** Blocks freed. */
  freed: i32;
}

const step = changetype<RetainStep>(memory.data(offsetof<RetainStep>(), 8));

/** Blocks freed by the last `retainStep`. */
export function retainFreed(): i32 {
  return step.freed;
}

/**
 * `freeBefore` for series [from, from + n) by number, kept hosts excepted.
 * @returns where to go on; `SeriesStep.End`.
 */
export function retainStep(from: u32, n: u32, to: f64): f64 {
  step.freed = 0;
  const end = min(from + n, allSeries.end);
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (s && !hostOf(s.node).isKept) step.freed += freeBefore(s, <i64>to);
  }
  return nextStep(end);
}

/** Ends a pass: no host is spared any longer. */
export function forgetKeptHosts(): void {
  let node: Node | null = root;
  while (node) {
    const isHost = <i32>node.depth == DEPTH_HOST;
    if (isHost) node.isKept = false;
    node = nodeWalk(node, root, !isHost);
  }
}

/** Start of the oldest block in unix seconds; f64.MAX_VALUE when there is none. */
export function oldestTime(): f64 {
  let oldest = f64.MAX_VALUE;
  for (let i: u32 = 0; i < allSeries.end; i++) {
    const s = seriesByNumber(i);
    if (s) oldest = min(oldest, <f64>s.timeOf(firstBin(s)));
  }
  return oldest;
}
