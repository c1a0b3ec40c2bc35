/** Which metrics of a node still arrive. */
import { NodeState } from '../../src/wasm/codes';
import { endBin } from '../series/blocks';
import { Metric, metricFind } from '../series/metrics';
import { Node } from '../series/records';
import { seriesFind } from '../series/series';
import { nodeFind, nodeWalk, root } from '../series/tree';

/** A metric whose newest sample ended this many frequencies ago is degraded. */
const DEGRADED_AFTER: i64 = 5;

/**
 * Judges a node's metrics.
 * @param names u16 cluster length + bytes, u16 host length + bytes, u16 count, each metric u16 length + bytes.
 * @param out one byte a metric, a `NodeState`; must have room.
 * @returns false: there is no such node; nothing is written then.
 */
export function nodeHealth(names: usize, now: f64, out: usize): bool {
  const host = names + 2 + <usize>load<u16>(names);
  const cluster = nodeFind(root, names + 2, <i32>load<u16>(names));
  const node = cluster ? nodeFind(cluster, host + 2, <i32>load<u16>(host)) : null;
  if (!node) return false;
  let p = host + 2 + <usize>load<u16>(host);
  const count = <i32>load<u16>(p);
  p += 2;
  for (let i = 0; i < count; i++) {
    store<u8>(out + i, <u8>metricHealth(node, metricFind(p + 2, <i32>load<u16>(p)), <i64>now));
    p += 2 + <usize>load<u16>(p);
  }
  return true;
}

function metricHealth(top: Node, metric: Metric | null, now: i64): NodeState {
  if (!metric) return NodeState.Missing;
  let health = NodeState.Missing;
  let node: Node | null = top;
  while (node) {
    const s = seriesFind(node, metric);
    if (s) {
      if (now - s.timeOf(endBin(s)) <= DEGRADED_AFTER * <i64>metric.frequency) return NodeState.Healthy;
      health = NodeState.Degraded;
    }
    node = nodeWalk(node, top, true);
  }
  return health;
}
