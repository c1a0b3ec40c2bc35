/**
 * What no checkpoint holds yet, for those who must know before they free it (archive) or write it in a layout other than
 * checkpoint.ts (JSON). An open block always counts: it grows without a mark.
 */
import { Entry } from '../series/blocks';
import {
  blockCountOf,
  openLength,
  openStart,
  seriesAnchor,
  seriesByNumber,
  seriesEnd,
  seriesFrequency,
  seriesNode,
} from '../series/series';
import { DEPTH_HOST, nodeDepth, nodeParent } from '../series/tree';

/**
 * Looks in series [from, from + n), by number, for a block that ends at or before `to` (so that retention may free it) and
 * that no checkpoint holds.
 * @returns where to go on; -1: there is none; -2: there is one.
 */
export function unsavedBefore(from: u32, n: u32, to: f64): f64 {
  const end = min(from + n, seriesEnd);
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    const f = <i64>seriesFrequency(s);
    const last = <i64>to - seriesAnchor(s);
    const count = blockCountOf(s);
    let b = 0;
    for (; b < count; b++) {
      const e = Entry.at(s, b);
      if (<i64>(Entry.start(e) + Entry.count(e)) * f > last) break;
      if (Entry.isDirty(e)) return -2;
    }
    if (b == count && openLength(s) && <i64>(openStart(s) + openLength(s)) * f <= last) return -2;
  }
  return end < seriesEnd ? <f64>end : -1;
}

/** Address of the node of the host that the series is of; 0 when there is no such series. Only for comparing. */
export function seriesHost(number: u32): usize {
  const s = seriesByNumber(number);
  if (!s) return 0;
  let node = seriesNode(s);
  while (nodeDepth(node) > DEPTH_HOST) node = nodeParent(node);
  return node;
}

/** The node above: of a host, its cluster. */
export function parentOf(node: usize): usize {
  return nodeParent(node);
}

/** Set by `unsavedSpan`: unix seconds. */
export let unsavedFrom: f64 = 0;
export let unsavedTo: f64 = 0;

/**
 * Finds from when to when the series has bins that no checkpoint holds, and counts them as kept from then on;
 * `checkpointForget` takes that back.
 * @param full all bins, also those that one holds. @returns false: there are none.
 */
export function unsavedSpan(number: u32, full: bool): bool {
  const s = seriesByNumber(number);
  if (!s) return false;
  let first = i32.MAX_VALUE;
  let end = i32.MIN_VALUE;
  for (let b = 0; b < blockCountOf(s); b++) {
    const e = Entry.at(s, b);
    if (!full && !Entry.isDirty(e)) continue;
    Entry.setDirty(e, false);
    first = min(first, Entry.start(e));
    end = max(end, Entry.start(e) + Entry.count(e));
  }
  if (openLength(s)) {
    first = min(first, openStart(s));
    end = max(end, openStart(s) + openLength(s));
  }
  if (first >= end) return false;
  const f = <i64>seriesFrequency(s);
  unsavedFrom = <f64>(seriesAnchor(s) + <i64>first * f);
  unsavedTo = <f64>(seriesAnchor(s) + <i64>end * f);
  return true;
}
