/** Reads names from frames that were checked by CRC, yet never past their end. */
import { Node } from '../series/records';
import { nodeEnsure, nodeFind, root } from '../series/tree';
import { partitionOf } from '../series/partition';

/** Set by the last `readNames`: where the names end. */
export let namesEnd: usize = 0;
/** Set by the last `readNames`: the names belong to another partition. */
export let namesForeign: bool = false;

/**
 * Walks u8 count, each u8 length + bytes, from the cluster down.
 * @param create make missing nodes. @param self, partitions only hosts of this partition are created.
 * @returns the node; null when it is missing, foreign, memory is exhausted, or the names are cut off (`namesEnd` is 0 then).
 */
export function readNames(p: usize, end: usize, create: bool, self: i32, partitions: i32): Node | null {
  namesEnd = 0;
  namesForeign = false;
  if (p >= end) return null;
  const depth = <i32>load<u8>(p);
  const first = p + 1;
  let q = first;
  for (let d = 0; d < depth; d++) {
    if (q >= end) return null;
    q += 1 + <usize>load<u8>(q);
    if (q > end) return null;
  }
  namesEnd = q;
  if (depth >= 2) {
    const host = first + 1 + <usize>load<u8>(first);
    const at = partitionOf(first + 1, <i32>load<u8>(first), host + 1, <i32>load<u8>(host), <u32>partitions);
    if (<i32>at != self) {
      namesForeign = true;
      return null;
    }
  }
  let node: Node | null = root;
  q = first;
  for (let d = 0; d < depth && node; d++) {
    const n = <i32>load<u8>(q);
    node = create ? nodeEnsure(node, q + 1, n) : nodeFind(node, q + 1, n);
    q += 1 + n;
  }
  return node;
}
