/** Which series a metric has below a host, in the tree's order, as the last walk found them: a host with 72 threads takes 76 lookups. */
import { Metric } from '../series/metrics';
import { Node } from '../series/records';
import { KeptList, KeptLists } from './kept-lists';

const members = changetype<KeptLists>(memory.data(offsetof<KeptLists>(), 8));

/** What a list is known by. */
@unmanaged
class MembersKey {
  node: Node;
  metric: Metric;

  get hash(): u32 {
    const h = ((<u64>changetype<usize>(this.node) << 16) ^ <u64>this.metric.number) * 0x9e3779b97f4a7c15;
    return <u32>(h >> 32);
  }
  set(node: Node, metric: Metric): void {
    this.node = node;
    this.metric = metric;
  }
}

const key = changetype<MembersKey>(memory.data(offsetof<MembersKey>(), 8));
const KEY_BYTES = <i32>offsetof<MembersKey>();

/** The list of the metric below the node; null: none is kept. Valid until the next call that keeps one. */
export function membersFind(node: Node, metric: Metric): KeptList | null {
  key.set(node, metric);
  return members.find(key.hash, changetype<usize>(key), KEY_BYTES);
}

/** Keeps a list that `membersFind` did not have, if there is memory. @param list u32 addresses of n series; copied. */
export function membersKeep(node: Node, metric: Metric, list: usize, n: i32): void {
  key.set(node, metric);
  members.keep(key.hash, changetype<usize>(key), KEY_BYTES, list, n);
}
