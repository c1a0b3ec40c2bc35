/** The two records that the store is made of, which refer to each other: nodes of the tree, and series. */
import { capacity } from '../memory/alloc';
import { BlockRef } from './block-ref';
import { Metric } from './metrics';

/**
 * A node of the level tree (tree.ts).
 *
 *   0        4             8            12             16             20             24            28     32
 *   ┌────────┬─────────────┬────────────┬──────────────┬──────────────┬──────────────┬─────────────┬──────┬──────────┐
 *   │ parent │ first child │ last child │ next sibling │ prev sibling │ first series │ last series │ hash │ name len │
 *   └────────┴─────────────┴────────────┴──────────────┴──────────────┴──────────────┴─────────────┴──────┴──────────┘
 *   36      37     38
 *   ┌───────┬──────┬─────────────┐
 *   │ depth │ kept │ name, UTF-8 │
 *   └───────┴──────┴─────────────┘
 */
@unmanaged
export class Node {
  /** The root is its own. */
  parent: Node;
  firstChild: Node | null;
  lastChild: Node | null;
  next: Node | null;
  prev: Node | null;
  firstSeries: Series | null;
  lastSeries: Series | null;
  /** Of parent and name. */
  hash: u32;
  nameLength: i32;
  /** Root 0, cluster 1, host 2, type 3, subtype 4. */
  depth: u8;
  /** Whether the host is spared by the retention pass that is running. */
  isKept: bool;

  /** Address of the name. */
  get name(): usize {
    return changetype<usize>(this) + offsetof<Node>();
  }
}

/** Bins of a full open block. */
export const OPEN_BINS: i32 = 128;
/** Newest bins that samples may still change at any time: senders overtake each other. */
export const UNSETTLED: i32 = 16;

const HAS_LOOSE: u8 = 1;
const ANCHORED: u8 = 2;

/**
 * One metric of one node, as bins of equal width from one anchor that never moves, so bins are stable. Bin k covers
 * [anchor + k*f, anchor + (k+1)*f) seconds; the anchor is the first sample's time less f/2.
 *
 * The newest bins are the open block (plain f64); older ones are blocks in the series' block table (blocks.ts).
 *
 *   fixed after creation                          16 (fixed once the first sample is there)
 *   0       4               8        12           16
 *   ┌──────┬───────────────┬────────┬────────────┬────────────────────┐
 *   │ node │ next in node  │ metric │ version    │ anchor, i64        │
 *   └──────┴───────────────┴────────┴────────────┴────────────────────┘
 *   changes on write
 *   24                   32           36            40              42           43
 *   ┌────────────────────┬────────────┬─────────────┬───────────────┬────────────┬──────────┐
 *   │ edge, i64          │ open start │ open length │ open limit,u16│ seal at, u8│ flags, u8│
 *   └────────────────────┴────────────┴─────────────┴───────────────┴────────────┴──────────┘
 *   44          48            52       56       60      64
 *   ┌───────────┬─────────────┬────────┬────────┬───────┬──────┐
 *   │ open bins │ block table │ blocks │ number │ epoch │ keys │
 *   └───────────┴─────────────┴────────┴────────┴───────┴──────┘
 */
@unmanaged
export class Series {
  node: Node;
  nextInNode: Series | null;
  metric: Metric;
  /**
   * What the settled bins are known by: a number that no other series has and that this one had for no other content, so who
   * has kept something made of them sees by it whether they are still the same. Sealing, merging and compressing keep it: they
   * change no bin. `settledChanged` gives a new one.
   */
  version: u32;
  /** Left edge of bin 0, unix seconds. */
  anchor: i64;
  /** Left edge, unix seconds, of the bin behind the open block: where the next sample is expected. */
  edge: i64;
  /** First bin of the open block. */
  openStart: i32;
  /** Bins in the open block. */
  openLength: i32;
  /** Bins that the open block takes before it must grow or be sealed: the smaller of its room and `sealAt`. */
  openLimit: u16;
  /** Length at which the open block is sealed. */
  sealAt: u8;
  private flags: u8;
  /** Address of the open block's bins; 0 before the first. */
  openBins: usize;
  /** The block table, sorted by first bin; 0 without blocks. */
  blocks: usize;
  blockCount: i32;
  /** Number within the partition: dense, reused after removal. */
  number: u32;
  /** Log segment in which the series was named last. */
  epoch: u32;
  /** First of the line prefixes that lead here (keys.ts), slot + 1. */
  keys: u32;

  /** Seconds a bin. */
  get frequency(): i32 {
    return this.metric.frequency;
  }
  /** Whether the anchor is known. */
  get isAnchored(): bool {
    return (this.flags & ANCHORED) != 0;
  }
  /** Whether the block table holds loose (uncompressed) blocks that late samples made. */
  get hasLoose(): bool {
    return (this.flags & HAS_LOOSE) != 0;
  }
  set hasLoose(on: bool) {
    this.flags = on ? this.flags | HAS_LOOSE : this.flags & ~HAS_LOOSE;
  }
  get isEmpty(): bool {
    return !this.openLength && !this.blockCount;
  }
  /** One past the last bin of the open block. */
  get openEnd(): i32 {
    return this.openStart + this.openLength;
  }
  /** One past the last settled bin: those before the open block, and of that all but the newest. Never moves back without a new version. */
  get settledEnd(): i32 {
    return this.openStart + max(0, this.openLength - UNSETTLED);
  }

  /** The i-th row of the block table. */
  block(i: i32): BlockRef {
    return changetype<BlockRef>(this.blocks + <usize>i * offsetof<BlockRef>());
  }

  /** The bin that a time falls into, as i64: callers check the range. @param seconds unix time. */
  binOf(seconds: i64): i64 {
    const f = <i64>this.frequency;
    const d = seconds - this.anchor;
    return d >= 0 ? d / f : -((f - 1 - d) / f);
  }

  /** Left edge of a bin, unix seconds. */
  timeOf(bin: i64): i64 {
    return this.anchor + bin * <i64>this.frequency;
  }

  /** Fixes where bin 0 begins; for `setAnchor` of series.ts. */
  anchorAt(anchor: i64): void {
    this.anchor = anchor;
    this.flags |= ANCHORED;
  }

  /** Moves the open block to a bin; `openLength` must be right already. */
  setOpenStart(bin: i32): void {
    this.openStart = bin;
    this.edge = this.timeOf(<i64>this.openEnd);
  }

  /** The open block's bins are here from now on; the old memory is the caller's to free. */
  setOpenBins(p: usize): void {
    this.openBins = p;
    this.updateLimit();
  }

  setSealAt(n: i32): void {
    this.sealAt = <u8>n;
    this.updateLimit();
  }

  private updateLimit(): void {
    const room = this.openBins ? capacity(this.openBins) >> 3 : 0;
    this.openLimit = <u16>min<u32>(room, this.sealAt);
  }
}
