/**
 * Which series a metric has below a node, in the tree's order, as the last walk found them: a node with 72 threads takes 76
 * lookups, most of them of memory that no cache holds, and a view of a cluster asks that of all its nodes every few seconds.
 *
 * Lists lie one behind the other in an arena. All are forgotten when a series or a node comes or goes, and when the arena is full.
 *
 *   0                4      8        12        16
 *   ┌────────────────┬──────┬────────┬─────────┬────────────────┐
 *   │ next in bucket │ node │ metric │ #series │ series, u32... │
 *   └────────────────┴──────┴────────┴─────────┴────────────────┘
 */
import { Kind, alloc, reserveIsLent } from '../memory/alloc';
import { seriesMade } from '../series/series';
import { treeVersion } from '../series/tree';

const NODE: usize = 4;
const METRIC: usize = 8;
const COUNT: usize = 12;
const LIST: usize = 16;

/** 800 lists of 76 series. */
const ARENA_BYTES: u32 = 256 << 10;
const BUCKETS: u32 = 2048;
const buckets: usize = memory.data(4 * 2048, 4);

let arena: usize = 0;
let used: u32 = 0;
/** What `seriesMade` and `treeVersion` were when the arena was empty. */
let made: u32 = 0;
let version: u32 = 0;

/** The list of the metric below the node; 0: none is kept. Valid until the next call that keeps one. */
export function membersFind(node: usize, metric: i32): usize {
  if (made != seriesMade || version != treeVersion) forget();
  for (let m = load<u32>(bucketOf(node, metric)); m; m = load<u32>(<usize>m)) {
    if (load<u32>(m, NODE) == <u32>node && load<i32>(m, METRIC) == metric) return m;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function membersCount(m: usize): i32 {
  return load<i32>(m, COUNT);
}

/** Its series, u32 addresses. */
// @ts-ignore: decorator
@inline
export function membersList(m: usize): usize {
  return m + LIST;
}

/** Keeps a list that `membersFind` did not have, if there is memory. @param list u32 addresses of n series; copied. */
export function membersKeep(node: usize, metric: i32, list: usize, n: i32): void {
  const bytes = <u32>LIST + (<u32>n << 2);
  if (bytes > ARENA_BYTES) return;
  if (!arena && !reserveIsLent()) arena = alloc(ARENA_BYTES, Kind.INDEX);
  if (!arena) return;
  if (used + bytes > ARENA_BYTES) forget();
  const m = arena + used;
  used += bytes;
  const bucket = bucketOf(node, metric);
  store<u32>(m, load<u32>(bucket));
  store<u32>(m, <u32>node, NODE);
  store<i32>(m, metric, METRIC);
  store<i32>(m, n, COUNT);
  memory.copy(m + LIST, list, <usize>n << 2);
  store<u32>(bucket, <u32>m);
}

function forget(): void {
  memory.fill(buckets, 0, BUCKETS << 2);
  used = 0;
  made = seriesMade;
  version = treeVersion;
}

// @ts-ignore: decorator
@inline
function bucketOf(node: usize, metric: i32): usize {
  const h = ((<u64>node << 16) ^ <u64>metric) * 0x9e3779b97f4a7c15;
  return buckets + (<usize>(h >> 53) << 2);
}
