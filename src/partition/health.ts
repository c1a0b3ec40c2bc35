import type { Core } from '../wasm/core.js';
import { NodeState } from '../wasm/tables/codes.js';
import type { NodeHealth } from './figures.js';

/**
 * How the metrics of some nodes are doing. @param now unix seconds. @param until samples after that do not count: they are of
 * a wrong clock. @returns one entry a node, in their order.
 */
export function nodesHealth(
  core: Core,
  cluster: string,
  nodes: string[],
  metrics: string[],
  now: number,
  until: number,
): [node: string, health: NodeHealth][] {
  return nodes.map((node) => {
    const states = core.reads.nodeHealth(cluster, node, metrics, now, until);
    if (!states) return [node, { state: 'failed', degraded: [], missing: [], known: false }];
    const degraded = metrics.filter((_, i) => states[i] === NodeState.Degraded);
    const missing = metrics.filter((_, i) => states[i] === NodeState.Missing);
    const bad = degraded.length + missing.length;
    const state = bad === 0 ? 'full' : bad === metrics.length ? 'failed' : 'partial';
    return [node, { state, degraded, missing, known: true }];
  });
}
