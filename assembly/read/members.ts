/**
 * Which series a metric has below a node, in the tree's order, as the last walk found them: a node with 72 threads takes 76
 * lookups, most of them of memory that no cache holds, and a view of a cluster asks that of all its nodes every few seconds.
 *
 * Lists lie one behind the other in an arena. All are forgotten when a series or a node comes or goes, and when the arena is full.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, reserveIsLent } from '../memory/alloc';
import { Metric } from '../series/metrics';
import { Node } from '../series/records';
import { allSeries } from '../series/series';
import { tree } from '../series/tree';

/**
 *   0                4      8        12      16
 *   ┌────────────────┬──────┬────────┬───────┬────────────────┐
 *   │ next in bucket │ node │ metric │ count │ series, u32... │
 *   └────────────────┴──────┴────────┴───────┴────────────────┘
 */
@unmanaged
export class Members {
  next: Members | null;
  node: Node;
  metric: Metric;
  /** Series in the list. */
  count: i32;

  /** Its series, u32 addresses. */
  get list(): usize {
    return changetype<usize>(this) + offsetof<Members>();
  }
}

@unmanaged
class Bucket {
  first: Members | null;
}

/** 800 lists of 76 series. */
const ARENA_BYTES: u32 = 256 << 10;
const BUCKETS: u32 = 2048;

@unmanaged
class Arena {
  at: usize;
  used: u32;
  /** What `allSeries.made` and `tree.version` were when the arena was empty. */
  seriesMade: u32;
  treeVersion: u32;
}

const arena = changetype<Arena>(memory.data(offsetof<Arena>(), 8));
const buckets: usize = memory.data(BUCKETS * 4, 4);

/** The list of the metric below the node; null: none is kept. Valid until the next call that keeps one. */
export function membersFind(node: Node, metric: Metric): Members | null {
  if (arena.seriesMade != allSeries.made || arena.treeVersion != tree.version) forget();
  let m = bucketOf(node, metric).first;
  while (m) {
    if (m.node == node && m.metric == metric) return m;
    m = m.next;
  }
  return null;
}

/** Keeps a list that `membersFind` did not have, if there is memory. @param list u32 addresses of n series; copied. */
export function membersKeep(node: Node, metric: Metric, list: usize, n: i32): void {
  const bytes = <u32>offsetof<Members>() + (<u32>n << 2);
  if (bytes > ARENA_BYTES) return;
  if (!arena.at && !reserveIsLent()) arena.at = alloc(ARENA_BYTES, MemoryKind.Index);
  if (!arena.at) return;
  if (arena.used + bytes > ARENA_BYTES) forget();
  const m = changetype<Members>(arena.at + arena.used);
  arena.used += bytes;
  const bucket = bucketOf(node, metric);
  m.next = bucket.first;
  m.node = node;
  m.metric = metric;
  m.count = n;
  memory.copy(m.list, list, <usize>n << 2);
  bucket.first = m;
}

function forget(): void {
  memory.fill(buckets, 0, BUCKETS << 2);
  arena.used = 0;
  arena.seriesMade = allSeries.made;
  arena.treeVersion = tree.version;
}

function bucketOf(node: Node, metric: Metric): Bucket {
  const h = ((<u64>changetype<usize>(node) << 16) ^ <u64>metric.number) * 0x9e3779b97f4a7c15;
  return changetype<Bucket>(buckets + (<usize>(h >> 53) << 2));
}
