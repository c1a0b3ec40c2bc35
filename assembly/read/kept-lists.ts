/**
 * Lists of series that a walk of the tree has found, kept for the next question that means the same ones. A walk takes a lookup a node, most
 * of them of memory that no cache holds, and dashboards ask the same every few seconds.
 *
 * Lists lie one behind the other in an arena, known by bytes that their owner chooses. All are forgotten when a series or a node comes or goes,
 * and when the arena is full.
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, reserveIsLent } from '../memory/alloc';
import { bytesEqual } from '../memory/bytes';
import { allSeries } from '../series/series';
import { tree } from '../series/tree';

/**
 *   0                4      8       12           16
 *   ┌────────────────┬──────┬───────┬────────────┬─────────────────────────────┬────────────────┐
 *   │ next in bucket │ hash │ count │ key length │ key, to a multiple of 4     │ series, u32... │
 *   └────────────────┴──────┴───────┴────────────┴─────────────────────────────┴────────────────┘
 */
@unmanaged
export class KeptList {
  next: KeptList | null;
  hash: u32;
  /** Series in the list. */
  count: i32;
  keyLength: i32;

  get key(): usize {
    return changetype<usize>(this) + offsetof<KeptList>();
  }
  /** Its series, u32 addresses. */
  get list(): usize {
    return this.key + padded(this.keyLength);
  }
}

@unmanaged
class Bucket {
  first: KeptList | null;
}

/** The buckets and all lists: 800 lists of 76 series. */
const ARENA_BYTES: u32 = 256 << 10;
/** A power of two. */
const BUCKETS: u32 = 2048;
const BUCKET_BYTES: u32 = BUCKETS << 2;

function padded(keyLength: i32): u32 {
  return ((<u32>keyLength + 3) & ~3);
}

/** Lists of one owner. Memory of zeros has none. */
@unmanaged
export class KeptLists {
  private at: usize;
  private used: u32;
  /** What `allSeries.made` and `tree.version` were when the arena was empty. */
  private seriesMade: u32;
  private treeVersion: u32;

  /** The list of a key; null: none is kept. Valid until the next `keep`. @param hash of the key, its highest bits well mixed. */
  find(hash: u32, key: usize, length: i32): KeptList | null {
    if (!this.at) return null;
    if (this.seriesMade != allSeries.made || this.treeVersion != tree.version) this.forget();
    let list = this.bucketOf(hash).first;
    while (list) {
      if (list.hash == hash && list.keyLength == length && bytesEqual(list.key, key, length)) return list;
      list = list.next;
    }
    return null;
  }

  /** Keeps a list that `find` did not have, if there is memory. @param series u32 addresses of `count` series; copied, as the key is. */
  keep(hash: u32, key: usize, length: i32, series: usize, count: i32): void {
    const room = ARENA_BYTES - BUCKET_BYTES;
    if (<u32>length > room || <u32>count > room >> 2) return;
    const bytes = <u32>offsetof<KeptList>() + padded(length) + (<u32>count << 2);
    if (bytes > room) return;
    if (!this.at) {
      if (!reserveIsLent()) this.at = alloc(ARENA_BYTES, MemoryKind.Index);
      if (!this.at) return;
      this.forget();
    }
    if (this.used + bytes > ARENA_BYTES) this.forget();
    const list = changetype<KeptList>(this.at + this.used);
    this.used += bytes;
    const bucket = this.bucketOf(hash);
    list.next = bucket.first;
    list.hash = hash;
    list.count = count;
    list.keyLength = length;
    memory.copy(list.key, key, length);
    memory.copy(list.list, series, <usize>count << 2);
    bucket.first = list;
  }

  private forget(): void {
    memory.fill(this.at, 0, BUCKET_BYTES);
    this.used = BUCKET_BYTES;
    this.seriesMade = allSeries.made;
    this.treeVersion = tree.version;
  }

  private bucketOf(hash: u32): Bucket {
    return changetype<Bucket>(this.at + (<usize>(hash >> 21) << 2));
  }
}

if (BUCKETS != 1 << (32 - 21)) ERROR('a bucket is not chosen by the highest bits of a hash');
