/**
 * The names of a node or a series as bytes: in frames of the log and of checkpoints, in answers, and from the host.
 *
 *   node     ┌───────────┬──────────────────────────┐
 *            │ u8 levels │ each: u8 length, bytes   │    levels: cluster, host, ...
 *            └───────────┴──────────────────────────┘
 *   series   ┌──────┬──────────────────────────┐
 *            │ node │ u16 length, metric       │
 *            └──────┴──────────────────────────┘
 */
import { Node, Series } from './records';
import { nodeEnsure, nodeFind, root } from './tree';
import { partitionOf } from './partition';

/** Writes the names from the cluster down to the node. Returns the end. */
export function writeNames(p: usize, node: Node): usize {
  const depth = <i32>node.depth;
  store<u8>(p, <u8>depth);
  p++;
  for (let d = 1; d <= depth; d++) {
    let n = node;
    for (let up = depth - d; up > 0; up--) n = n.parent;
    store<u8>(p, <u8>n.nameLength);
    memory.copy(p + 1, n.name, n.nameLength);
    p += 1 + n.nameLength;
  }
  return p;
}

/** Writes the names of a series. Returns the end. */
export function writeSeriesNames(p: usize, s: Series): usize {
  p = writeNames(p, s.node);
  const n = s.metric.nameLength;
  store<u16>(p, <u16>n);
  memory.copy(p + 2, s.metric.name, n);
  return p + 2 + n;
}

@unmanaged
class NamesRead {
  /** Where the names end; 0: they are cut off. */
  end: usize;
  /** The names belong to another partition. */
  areForeign: bool;
}

/** What the last `readNames` has read. */
export const namesRead = changetype<NamesRead>(memory.data(offsetof<NamesRead>(), 8));

/**
 * Finds the node of the names at p, never past `end`: a frame whose CRC holds may still be nonsense.
 * @param create make missing nodes. @param self, partitions only hosts of this partition are created.
 * @returns the node; null when it is missing, foreign, memory is exhausted, or the names are cut off (`namesRead` says which).
 */
export function readNames(p: usize, end: usize, create: bool, self: i32, partitions: i32): Node | null {
  namesRead.end = 0;
  namesRead.areForeign = false;
  if (p >= end) return null;
  const depth = <i32>load<u8>(p);
  const first = p + 1;
  let q = first;
  for (let d = 0; d < depth; d++) {
    if (q >= end) return null;
    q += 1 + <usize>load<u8>(q);
    if (q > end) return null;
  }
  namesRead.end = q;
  if (depth >= 2) {
    const host = first + 1 + <usize>load<u8>(first);
    const at = partitionOf(first + 1, <i32>load<u8>(first), host + 1, <i32>load<u8>(host), <u32>partitions);
    if (<i32>at != self) {
      namesRead.areForeign = true;
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
