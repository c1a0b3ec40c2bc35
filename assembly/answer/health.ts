/** Which metrics of a node still arrive. */
import { NodeState } from '../../src/wasm/tables/codes';
import { binsScratch, blockIndex, endBin, firstBin } from '../series/blocks';
import { Metric, metricFind } from '../series/metrics';
import { Node, Series } from '../series/records';
import { seriesFind } from '../series/series';
import { nodeFind, nodeWalk, root } from '../series/tree';

/** A metric whose newest sample ended this many frequencies ago is degraded. */
const DEGRADED_AFTER: i64 = 5;
/** Before every time that a sample can have. */
const NEVER: i64 = i64.MIN_VALUE >> 1;

/**
 * Judges a node's metrics by their samples until `until`, unix seconds: later ones are of a wrong clock, which was or is the node's.
 * @param names u16 cluster length + bytes, u16 host length + bytes, u16 count, each metric u16 length + bytes.
 * @param out one byte a metric, a `NodeState`; must have room.
 * @returns false: there is no such node; nothing is written then.
 */
export function nodeHealth(names: usize, now: f64, until: f64, out: usize): bool {
  const host = names + 2 + <usize>load<u16>(names);
  const cluster = nodeFind(root, names + 2, <i32>load<u16>(names));
  const node = cluster ? nodeFind(cluster, host + 2, <i32>load<u16>(host)) : null;
  if (!node) return false;
  let p = host + 2 + <usize>load<u16>(host);
  const count = <i32>load<u16>(p);
  p += 2;
  for (let i = 0; i < count; i++) {
    store<u8>(out + i, <u8>metricHealth(node, metricFind(p + 2, <i32>load<u16>(p)), <i64>now, <i64>until));
    p += 2 + <usize>load<u16>(p);
  }
  return true;
}

/** When the newest bin with a sample ends, unix seconds, of those that begin until `until`; NEVER when there is none. */
function endUntil(s: Series, until: i64): i64 {
  const end = endBin(s);
  if (s.timeOf(end - 1) <= until) return s.timeOf(end);
  const limit = s.binOf(until) + 1;
  if (<i64>firstBin(s) >= limit) return NEVER;
  const bins = <i32>limit;
  const open = lastSample(s.openBins, min(bins - s.openStart, s.openLength));
  if (open >= 0) return s.timeOf(s.openStart + open + 1);
  for (let i = blockIndex(s, bins - 1); i >= 0; i--) {
    const block = s.block(i);
    if (block.end <= bins) return s.timeOf(block.end);
    block.read(binsScratch);
    const last = lastSample(binsScratch, bins - block.start);
    if (last >= 0) return s.timeOf(block.start + last + 1);
  }
  return NEVER;
}

/** Place of the last of n bins that is not missing; -1: there is none. */
function lastSample(bins: usize, n: i32): i32 {
  let i = n - 1;
  while (i >= 0 && isNaN(load<f64>(bins + (<usize>i << 3)))) i--;
  return max(i, -1);
}

function metricHealth(top: Node, metric: Metric | null, now: i64, until: i64): NodeState {
  if (!metric) return NodeState.Missing;
  let health = NodeState.Missing;
  let node: Node | null = top;
  while (node) {
    const s = seriesFind(node, metric);
    if (s) {
      if (now - endUntil(s, until) <= DEGRADED_AFTER * <i64>metric.frequency) return NodeState.Healthy;
      health = NodeState.Degraded;
    }
    node = nodeWalk(node, top, true);
  }
  return health;
}
