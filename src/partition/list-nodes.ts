/** Lists the nodes of a cluster, in steps between the worker's other work. */

import { type Jobs, SERIES_PER_STEP } from '../base/jobs.js';
import type { Core } from '../wasm/core.js';
import type { HostPart } from '../wasm/hosts.js';
import type { NodeSpan } from './figures.js';

export async function listNodes(core: Core, jobs: Jobs, cluster: string): Promise<NodeSpan[]> {
  const nodes = new Map<string, NodeSpan>();
  let from = 0;
  await jobs.run(() => {
    // Looked up in each step: the cluster may come and go, and another take its address.
    const wanted = core.figures.clusters().find(({ name }) => name === cluster)?.node;
    const { next, hosts } = core.reads.hostsStep(from, SERIES_PER_STEP);
    for (const host of hosts) if (host.cluster === wanted) add(nodes, host);
    from = next;
    return next >= 0;
  });
  return [...nodes.values()];
}

function add(nodes: Map<string, NodeSpan>, { name, series, oldest, newest, frequency }: HostPart): void {
  const known = nodes.get(name);
  if (known === undefined) {
    nodes.set(name, { node: name, series, oldest, newest, frequency });
    return;
  }
  known.series += series;
  known.oldest = Math.min(known.oldest, oldest);
  if (newest <= known.newest) return;
  known.newest = newest;
  known.frequency = frequency;
}
