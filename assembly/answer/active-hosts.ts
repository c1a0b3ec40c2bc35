/** Which hosts send at the moment. */
import { Node, Series } from '../series/records';
import { nodeWalk, root } from '../series/tree';

/** Whether a host has sent something since the start, the newest of it in a bin that ends after `since` and begins until `until`. */
export function hostIsActive(host: Node, since: f64, until: f64): bool {
  let node: Node | null = host;
  while (node) {
    let s: Series | null = node.firstSeries;
    while (s) {
      // The log has named it: it is not only what a file held.
      if (s.epoch && s.edge > <i64>since && s.edge - <i64>s.frequency <= <i64>until) return true;
      s = s.nextInNode;
    }
    node = nodeWalk(node, host, true);
  }
  return false;
}

/** Hosts of all clusters that are active so. @param since, until unix seconds. */
export function activeHosts(since: f64, until: f64): u32 {
  let n: u32 = 0;
  let cluster: Node | null = root.firstChild;
  while (cluster) {
    let host: Node | null = cluster.firstChild;
    while (host) {
      if (hostIsActive(host, since, until)) n++;
      host = host.next;
    }
    cluster = cluster.next;
  }
  return n;
}
