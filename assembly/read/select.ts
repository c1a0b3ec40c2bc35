/**
 * First stage of reading: names and ids -> the series that an entry is made of. A level has the metric's series of its own, or
 * else those of its children, and so on down.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { capacity, realloc } from '../memory/alloc';
import { Name } from '../memory/name';
import { Metric } from '../series/metrics';
import { Node, Series } from '../series/records';
import { seriesFind } from '../series/series';
import { nodeFind } from '../series/tree';
import { membersFind, membersKeep } from './members';
import { Query } from './request';
import { seriesIn } from './series-list';

/** The series of one entry. */
@unmanaged
class Selection {
  /** Addresses of the series, u32 each, in the tree's order; valid until the next selection. */
  list: usize;
  count: i32;
  /** The level that was asked for: of several ids that are aggregated, their host. Null: it is not there. */
  node: Node | null;

  /** The i-th series. */
  series(i: i32): Series {
    return seriesIn(this.list, i);
  }
}

/** What the last `select...` found. */
export const selection = changetype<Selection>(memory.data(offsetof<Selection>(), 8));

/** Longest name of a level; a longer one is not there. See text/line.ts. */
const NAME_ROOM: i32 = 1024;
const joined: usize = memory.data(NAME_ROOM, 8);

/** Begins a selection of no series. */
export function selectNone(node: Node | null): void {
  selection.count = 0;
  selection.node = node;
}

/** Makes room for n more series. False when memory is exhausted. */
function makeRoom(n: i32): bool {
  const need = <u32>(selection.count + n) << 2;
  if (selection.list && capacity(selection.list) >= need) return true;
  const p = realloc(selection.list, max<u32>(1024, need * 2), MemoryKind.Scratch);
  if (!p) return false;
  selection.list = p;
  return true;
}

/** Where the next series of the list stands. */
function listEnd(): usize {
  return selection.list + (<usize>selection.count << 2);
}

/** Adds n series whose addresses stand at `list`. False when memory is exhausted. */
export function selectList(list: usize, n: i32): bool {
  if (!makeRoom(n)) return false;
  memory.copy(listEnd(), list, <usize>n << 2);
  selection.count += n;
  return true;
}

/** Adds a series to the selection. False when memory is exhausted. */
export function selectSeries(s: Series): bool {
  if (!makeRoom(1)) return false;
  store<u32>(listEnd(), <u32>changetype<usize>(s));
  selection.count++;
  return true;
}

/** Adds the metric's series of the level: its own, or else those of its children, recursively. False when memory is exhausted. */
function collect(node: Node, metric: Metric): bool {
  const s = seriesFind(node, metric);
  if (s) return selectSeries(s);
  let child = node.firstChild;
  while (child) {
    if (!collect(child, metric)) return false;
    child = child.next;
  }
  return true;
}

/** Selects the metric's series of a host. False when memory is exhausted. */
export function selectHost(host: Node, metric: Metric): bool {
  selectNone(host);
  const s = seriesFind(host, metric);
  if (s) return selectSeries(s);
  // Without a walk when nothing has come or gone since the last one.
  const known = membersFind(host, metric);
  if (known) return selectList(known.list, known.count);
  if (!collect(host, metric)) return false;
  membersKeep(host, metric, selection.list, selection.count);
  return true;
}

/** Selects the metric's series of all ids of a query. False when memory is exhausted. */
export function selectGroup(host: Node, metric: Metric, query: Query): bool {
  selectNone(host);
  let id = query.ids.first;
  for (let i = query.ids.count; i > 0; i--) {
    const node = childOf(host, query.type, id);
    id = id.next;
    if (!node) continue;
    if (!query.hasSubtype) {
      if (!collect(node, metric)) return false;
      continue;
    }
    let subId = query.subIds.first;
    for (let j = query.subIds.count; j > 0; j--) {
      const below = childOf(node, query.subtype, subId);
      subId = subId.next;
      if (below && !collect(below, metric)) return false;
    }
  }
  return true;
}

/** Selects the metric's series of one combination of ids. @param subId matters if the query has a subtype. False when memory is exhausted. */
export function selectIds(host: Node, metric: Metric, query: Query, id: Name, subId: Name): bool {
  let node = childOf(host, query.type, id);
  if (node && query.hasSubtype) node = childOf(node, query.subtype, subId);
  selectNone(node);
  return !node || collect(node, metric);
}

/** The child called prefix + id, or null. */
function childOf(parent: Node, prefix: Name, id: Name): Node | null {
  const length = prefix.length + id.length;
  if (length > NAME_ROOM) return null;
  memory.copy(joined, prefix.text, prefix.length);
  memory.copy(joined + prefix.length, id.text, id.length);
  return nodeFind(parent, joined, length);
}
