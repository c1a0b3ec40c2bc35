/** The nodes of "nodes together", which are in the address as Slurm writes lists. */
import { compressHostlist, expandHostlist } from '../model/nodes/hostlist.js';
import { router } from './router.svelte.js';

/** The nodes; none while the list cannot be read. */
export function selectedNodes(text: string): string[] {
  try {
    return expandHostlist(text);
  } catch {
    return [];
  }
}

/** Adds a node, or takes it out. */
export function toggleNode(node: string): void {
  const nodes = new Set(selectedNodes(router.place.nodes));
  if (!nodes.delete(node)) nodes.add(node);
  router.go({ nodes: compressHostlist([...nodes]) }, 'replace');
}
