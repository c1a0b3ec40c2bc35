/**
 * The level tree: root → cluster → host → type+id → stype+id. Children hang in insertion order, so that an answer never
 * depends on a hash table's order. One table for all nodes, keyed by parent and name.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, free } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Table } from '../memory/table';
import { Node } from './records';

export const DEPTH_HOST: i32 = 2;

@unmanaged
class Tree {
  /** Counts removals of nodes and series: a walk that was interrupted must start anew when it changed. */
  version: u32;
  /** Host nodes in the tree. */
  hosts: u32;
}

export const tree = changetype<Tree>(memory.data(offsetof<Tree>(), 8));
/** The one node without a name. */
export const root = changetype<Node>(memory.data(offsetof<Node>(), 8));
const nodes = changetype<Table>(memory.data(offsetof<Table>(), 8));

root.parent = root;

function hashOf(parent: Node, name: usize, length: i32): u32 {
  return hashBytes(<u32>changetype<usize>(parent), name, length);
}

/** The child with this name, or null. */
export function nodeFind(parent: Node, name: usize, length: i32): Node | null {
  let n = changetype<Node | null>(nodes.find(hashOf(parent, name, length)));
  while (n) {
    if (n.parent == parent && n.nameLength == length && bytesEqual(n.name, name, length)) return n;
    n = changetype<Node | null>(nodes.next());
  }
  return null;
}

/** The child with this name, made when missing (the name is copied). Null when memory is exhausted. */
export function nodeEnsure(parent: Node, name: usize, length: i32): Node | null {
  const found = nodeFind(parent, name, length);
  if (found) return found;
  const n = changetype<Node | null>(alloc(<u32>offsetof<Node>() + length, MemoryKind.Index));
  if (!n) return null;
  memory.fill(changetype<usize>(n), 0, offsetof<Node>());
  n.parent = parent;
  n.hash = hashOf(parent, name, length);
  n.nameLength = length;
  n.depth = parent.depth + 1;
  memory.copy(n.name, name, length);
  if (!nodes.add(n.hash, changetype<usize>(n))) {
    free(changetype<usize>(n), MemoryKind.Index);
    return null;
  }
  const last = parent.lastChild;
  n.prev = last;
  if (last) last.next = n;
  else parent.firstChild = n;
  parent.lastChild = n;
  if (n.depth == DEPTH_HOST) tree.hosts++;
  return n;
}

/** Removes the node and its ancestors as long as they hold neither series nor children. */
export function nodePrune(n: Node): void {
  while (n != root && !n.firstChild && !n.firstSeries) {
    const parent = n.parent;
    const prev = n.prev;
    const next = n.next;
    if (prev) prev.next = next;
    else parent.firstChild = next;
    if (next) next.prev = prev;
    else parent.lastChild = prev;
    if (n.depth == DEPTH_HOST) tree.hosts--;
    nodes.remove(n.hash, changetype<usize>(n));
    free(changetype<usize>(n), MemoryKind.Index);
    tree.version++;
    n = parent;
  }
}

/** The host that a node below one, or a host itself, belongs to. */
export function hostOf(n: Node): Node {
  while (<i32>n.depth > DEPTH_HOST) n = n.parent;
  return n;
}

/**
 * The next node of the subtree below `top` in depth-first order, children before siblings; null at the end.
 * @param descend false: skip the children of `n`.
 */
export function nodeWalk(n: Node, top: Node, descend: bool): Node | null {
  if (descend) {
    const child = n.firstChild;
    if (child) return child;
  }
  while (n != top) {
    const next = n.next;
    if (next) return next;
    n = n.parent;
  }
  return null;
}
