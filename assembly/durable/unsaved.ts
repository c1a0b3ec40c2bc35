/**
 * What no checkpoint holds yet, for those who must know before they free it (archive) or write it in a layout other than
 * checkpoint.ts (JSON). An open block always counts: it grows without a mark.
 */
import { Unsaved } from '../../src/wasm/tables/codes';
import { Node } from '../series/records';
import { allSeries, seriesByNumber } from '../series/series';
import { hostOf } from '../series/tree';
import { Span } from './span';

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

/** What the last `takeUnsaved` has found. */
export const unsaved = changetype<Span>(memory.data(offsetof<Span>(), 8));

/**
 * Finds from when to when the series has bins that no checkpoint holds, and counts them as kept from then on;
 * `checkpointForget` takes that back.
 * @param full all bins, also those that one holds. @returns false: there are none; else they are in `unsaved`.
 */
export function takeUnsaved(number: u32, full: bool): bool {
  unsaved.clear();
  const s = seriesByNumber(number);
  if (!s) return false;
  for (let i = 0; i < s.blockCount; i++) {
    const row = s.block(i);
    if (!full && !row.isDirty) continue;
    row.isDirty = false;
    unsaved.add(s, row.start, row.end);
  }
  if (s.openLength) unsaved.add(s, s.openStart, s.openEnd);
  return unsaved.from < unsaved.to;
}
