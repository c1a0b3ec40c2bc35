/**
 * What no checkpoint holds yet, for those who must know before they free it (archive) or write it in a layout other than
 * checkpoint.ts (JSON). An open block always counts: it grows without a mark.
 */
import { Unsaved } from '../../src/wasm/codes';
import { Node } from '../series/records';
import { allSeries, seriesByNumber } from '../series/series';
import { hostOf } from '../series/tree';

/**
 * Looks in series [from, from + n), by number, for a block that ends at or before `to` (so that retention may free it) and
 * that no checkpoint holds.
 * @returns where to go on, or an `Unsaved`.
 */
export function unsavedBefore(from: u32, n: u32, to: f64): f64 {
  const end = min(from + n, allSeries.end);
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    let b = 0;
    for (; b < s.blockCount; b++) {
      const row = s.block(b);
      if (s.timeOf(row.end) > <i64>to) break;
      if (row.isDirty) return <f64>Unsaved.Some;
    }
    if (b == s.blockCount && s.openLength && s.timeOf(s.openEnd) <= <i64>to) return <f64>Unsaved.Some;
  }
  return end < allSeries.end ? <f64>end : <f64>Unsaved.None;
}

/** The node of the host that the series is of; null when there is no such series. */
export function seriesHost(number: u32): Node | null {
  const s = seriesByNumber(number);
  return s ? hostOf(s.node) : null;
}

/** The node above: of a host, its cluster. */
export function parentOf(node: Node): Node {
  return node.parent;
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
  for (let b = 0; b < s.blockCount; b++) {
    const row = s.block(b);
    if (!full && !row.isDirty) continue;
    row.isDirty = false;
    first = min(first, row.start);
    end = max(end, row.end);
  }
  if (s.openLength) {
    first = min(first, s.openStart);
    end = max(end, s.openEnd);
  }
  if (first >= end) return false;
  unsavedFrom = <f64>s.timeOf(first);
  unsavedTo = <f64>s.timeOf(end);
  return true;
}
