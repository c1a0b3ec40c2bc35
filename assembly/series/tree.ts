/**
 * The level tree: root → cluster → host → type+id → stype+id. Children and series hang in insertion order, so that an
 * answer never depends on a hash table's order. One table for all nodes, keyed by parent and name.
 *
 *   0        4             8            12             16             20             24            28     32
 *   ┌────────┬─────────────┬────────────┬──────────────┬──────────────┬──────────────┬─────────────┬──────┬──────────┐
 *   │ parent │ first child │ last child │ next sibling │ prev sibling │ first series │ last series │ hash │ name len │
 *   └────────┴─────────────┴────────────┴──────────────┴──────────────┴──────────────┴─────────────┴──────┴──────────┘
 *   36      38     40
 *   ┌───────┬──────┬────────────────────────┐
 *   │ depth │ kept │ name, UTF-8            │    depth: root 0, cluster 1, host 2, type 3, subtype 4
 *   └───────┴──────┴────────────────────────┘
 */
import { Kind, alloc, free } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { TABLE_HANDLE_BYTES, tableAdd, tableFind, tableNext, tableRemove } from '../memory/table';

const PARENT: usize = 0;
const FIRST_CHILD: usize = 4;
const LAST_CHILD: usize = 8;
const NEXT: usize = 12;
const PREV: usize = 16;
const FIRST_SERIES: usize = 20;
const LAST_SERIES: usize = 24;
const HASH: usize = 28;
const NAME_LENGTH: usize = 32;
const DEPTH: usize = 36;
const KEPT: usize = 38;
const NAME: usize = 40;

export const DEPTH_HOST: i32 = 2;

/** Where the series list of a node continues; `series.ts` owns the field. */
export const SERIES_NEXT_IN_NODE: usize = 4;

const table: usize = memory.data(TABLE_HANDLE_BYTES, 8);
export const root: usize = memory.data(48, 8);
/** Counts removals: a walk that was interrupted must start anew when it changed. */
export let treeVersion: u32 = 0;
/** Host nodes in the tree. */
export let hostCount: u32 = 0;

// @ts-ignore: decorator
@inline
export function nodeParent(n: usize): usize {
  return <usize>load<u32>(n, PARENT);
}
// @ts-ignore: decorator
@inline
export function nodeFirstChild(n: usize): usize {
  return <usize>load<u32>(n, FIRST_CHILD);
}
// @ts-ignore: decorator
@inline
export function nodeNext(n: usize): usize {
  return <usize>load<u32>(n, NEXT);
}
// @ts-ignore: decorator
@inline
export function nodeFirstSeries(n: usize): usize {
  return <usize>load<u32>(n, FIRST_SERIES);
}
// @ts-ignore: decorator
@inline
export function nodeDepth(n: usize): i32 {
  return <i32>load<u16>(n, DEPTH);
}
/** Whether the host is spared by the retention pass that is running. */
// @ts-ignore: decorator
@inline
export function nodeIsKept(n: usize): bool {
  return load<u16>(n, KEPT) != 0;
}
export function nodeKeep(n: usize, on: bool): void {
  store<u16>(n, on ? 1 : 0, KEPT);
}
// @ts-ignore: decorator
@inline
export function nodeName(n: usize): usize {
  return n + NAME;
}
// @ts-ignore: decorator
@inline
export function nodeNameLength(n: usize): i32 {
  return load<i32>(n, NAME_LENGTH);
}

/** The child with this name, or 0. */
export function nodeFind(parent: usize, name: usize, len: i32): usize {
  let n = tableFind(table, hashBytes(<u32>parent, name, len));
  while (n) {
    if (nodeParent(n) == parent && nodeNameLength(n) == len && bytesEqual(n + NAME, name, len)) return n;
    n = tableNext(table);
  }
  return 0;
}

/** The child with this name, made when missing (the name is copied). 0 when memory is exhausted. */
export function nodeEnsure(parent: usize, name: usize, len: i32): usize {
  const found = nodeFind(parent, name, len);
  if (found) return found;
  const n = alloc(<u32>NAME + len, Kind.INDEX);
  if (!n) return 0;
  const hash = hashBytes(<u32>parent, name, len);
  memory.fill(n, 0, NAME);
  store<u32>(n, <u32>parent, PARENT);
  store<u32>(n, hash, HASH);
  store<i32>(n, len, NAME_LENGTH);
  store<u16>(n, <u16>(nodeDepth(parent) + 1), DEPTH);
  memory.copy(n + NAME, name, len);
  if (!tableAdd(table, hash, n)) {
    free(n, Kind.INDEX);
    return 0;
  }
  const last = <usize>load<u32>(parent, LAST_CHILD);
  store<u32>(n, <u32>last, PREV);
  if (last) store<u32>(last, <u32>n, NEXT);
  else store<u32>(parent, <u32>n, FIRST_CHILD);
  store<u32>(parent, <u32>n, LAST_CHILD);
  if (nodeDepth(n) == DEPTH_HOST) hostCount++;
  return n;
}

/** Removes the node and its ancestors as long as they hold neither series nor children. */
export function nodePrune(n: usize): void {
  while (n != root && !nodeFirstChild(n) && !nodeFirstSeries(n)) {
    const parent = nodeParent(n);
    const prev = <usize>load<u32>(n, PREV);
    const next = <usize>load<u32>(n, NEXT);
    if (prev) store<u32>(prev, <u32>next, NEXT);
    else store<u32>(parent, <u32>next, FIRST_CHILD);
    if (next) store<u32>(next, <u32>prev, PREV);
    else store<u32>(parent, <u32>prev, LAST_CHILD);
    if (nodeDepth(n) == DEPTH_HOST) hostCount--;
    tableRemove(table, load<u32>(n, HASH), n);
    free(n, Kind.INDEX);
    treeVersion++;
    n = parent;
  }
}

/** Appends a series to the node's list. */
export function nodeAddSeries(n: usize, s: usize): void {
  store<u32>(s, 0, SERIES_NEXT_IN_NODE);
  const last = <usize>load<u32>(n, LAST_SERIES);
  if (last) store<u32>(last, <u32>s, SERIES_NEXT_IN_NODE);
  else store<u32>(n, <u32>s, FIRST_SERIES);
  store<u32>(n, <u32>s, LAST_SERIES);
}

/** Takes a series off the node's list; the node stays even if empty (see `nodePrune`). */
export function nodeRemoveSeries(n: usize, s: usize): void {
  let prev: usize = 0;
  let at = nodeFirstSeries(n);
  while (at != s) {
    prev = at;
    at = <usize>load<u32>(at, SERIES_NEXT_IN_NODE);
  }
  const next = load<u32>(s, SERIES_NEXT_IN_NODE);
  if (prev) store<u32>(prev, next, SERIES_NEXT_IN_NODE);
  else store<u32>(n, next, FIRST_SERIES);
  if (!next) store<u32>(n, <u32>prev, LAST_SERIES);
  treeVersion++;
}

/**
 * The next node of the subtree below `top` in depth-first order, children before siblings; 0 at the end.
 * @param descend false: skip the children of `n`.
 */
export function nodeWalk(n: usize, top: usize, descend: bool): usize {
  if (descend) {
    const child = nodeFirstChild(n);
    if (child) return child;
  }
  while (n != top) {
    const next = nodeNext(n);
    if (next) return next;
    n = nodeParent(n);
  }
  return 0;
}
