/** All series of the partition: by node and metric, and by number. Within a node they hang in insertion order. */
import { MemoryKind, SeriesStep } from '../../src/wasm/tables/codes';
import { alloc, free, realloc } from '../memory/alloc';
import { Table } from '../memory/table';
import { Metric } from './metrics';
import { Node, OPEN_BINS, Series } from './records';
import { nodePrune, tree } from './tree';

/** In the list of numbers: the log's segment has given this one to a series that is gone. Within a segment it must mean no other. */
const RESERVED: u32 = 1;

@unmanaged
class AllSeries {
  /** One past the highest number ever used. */
  end: u32;
  /** Series that exist. */
  count: u32;
  /** Counts series that were made. */
  made: u32;
  /** The newest `version` of a series. */
  versions: u32;
  /** Series by number, u32 each; freed ones hold RESERVED until the log begins a segment, then 0 until they are used again. */
  numbers: usize;
  numbersCapacity: u32;
  reservedNumbers: u32;
  /** Freed numbers below `end`, and where the search for one starts. */
  freeNumbers: u32;
  freeHint: u32;

  slot(number: u32): usize {
    return this.numbers + (<usize>number << 2);
  }
}

export const allSeries = changetype<AllSeries>(memory.data(offsetof<AllSeries>(), 8));
const byNodeAndMetric = changetype<Table>(memory.data(offsetof<Table>(), 8));

/** The series with this number, or null. */
export function seriesByNumber(number: u32): Series | null {
  const s: usize = number < allSeries.end ? <usize>load<u32>(allSeries.slot(number)) : 0;
  return s == RESERVED ? null : changetype<Series | null>(s);
}

/** What a step over all series returns that has looked at those below `end`: where to go on, or `SeriesStep.End`. */
export function nextStep(end: u32): f64 {
  return end < allSeries.end ? <f64>end : <f64>SeriesStep.End;
}

/** Gives the series a new version: to be called where a settled bin changes, or their end moves back. */
export function settledChanged(s: Series): void {
  s.version = ++allSeries.versions;
}

function hashOf(node: Node, metric: Metric): u32 {
  const h = ((<u64>changetype<usize>(node) << 20) ^ <u64>metric.number) * 0x9e3779b97f4a7c15;
  return <u32>(h >> 32);
}

/** The node's series of the metric, or null. */
export function seriesFind(node: Node, metric: Metric): Series | null {
  let s = changetype<Series | null>(byNodeAndMetric.find(hashOf(node, metric)));
  while (s) {
    if (s.node == node && s.metric == metric) return s;
    s = changetype<Series | null>(byNodeAndMetric.next());
  }
  return null;
}

/*
 * Series seal and merge at different times, else all series of a host would do so in the same request, and all of a cluster within
 * the same minutes. Bits of `spread`: 26..31 bins of the first block above half a block, 25 length of the second, 23..24 blocks of the
 * first merge.
 */

/** Spreads series' numbers over 32 bits. */
function spread(number: u32): u32 {
  return number * 0x9e3779b1;
}

/** Length at which a series seals its open block when it has `blocks` sealed ones. */
export function nextSealAt(s: Series, blocks: i32): i32 {
  if (!blocks) return OPEN_BINS / 2 + <i32>(spread(s.number) >> 26);
  return blocks == 1 && (spread(s.number) >> 25) & 1 ? OPEN_BINS / 2 : OPEN_BINS;
}

/** Of the blocks that are merged otherwise, how many fewer the series merges the first time; 3: it leaves its first block alone. */
export function firstMergeLess(s: Series): i32 {
  return <i32>((spread(s.number) >> 23) & 3);
}

/** The node's series of the metric, made when missing. Null when memory is exhausted. */
export function seriesEnsure(node: Node, metric: Metric): Series | null {
  const found = seriesFind(node, metric);
  if (found) return found;
  const number = takeNumber();
  if (number == ~0) return null;
  const s = changetype<Series | null>(alloc(<u32>offsetof<Series>(), MemoryKind.Index));
  if (!s) return null;
  memory.fill(changetype<usize>(s), 0, offsetof<Series>());
  s.node = node;
  s.metric = metric;
  s.number = number;
  if (!byNodeAndMetric.add(hashOf(node, metric), changetype<usize>(s))) {
    free(changetype<usize>(s), MemoryKind.Index);
    return null;
  }
  s.setSealAt(nextSealAt(s, 0));
  if (number == allSeries.end) allSeries.end++;
  else allSeries.freeNumbers--;
  store<u32>(allSeries.slot(number), <u32>changetype<usize>(s));
  allSeries.count++;
  allSeries.made++;
  appendToNode(node, s);
  return s;
}

/** Lets numbers of series that are gone be used again: the log begins a segment. */
export function releaseNumbers(): void {
  if (!allSeries.reservedNumbers) return;
  for (let i: u32 = 0; i < allSeries.end; i++) {
    const slot = allSeries.slot(i);
    if (load<u32>(slot) == RESERVED) store<u32>(slot, 0);
  }
  allSeries.freeNumbers += allSeries.reservedNumbers;
  allSeries.reservedNumbers = 0;
}

/** A free number, not yet taken; ~0 when memory is exhausted. */
function takeNumber(): u32 {
  const all = allSeries;
  if (all.freeNumbers) {
    while (load<u32>(all.slot(all.freeHint))) all.freeHint = all.freeHint + 1 == all.end ? 0 : all.freeHint + 1;
    return all.freeHint;
  }
  if (all.end == all.numbersCapacity) {
    const capacity = max<u32>(256, all.numbersCapacity + (all.numbersCapacity >> 1));
    const grown = realloc(all.numbers, capacity << 2, MemoryKind.Index);
    if (!grown) return ~0;
    all.numbers = grown;
    all.numbersCapacity = capacity;
  }
  return all.end;
}

/** Forgets an empty series, and nodes that became empty by it. Only `seriesRemove` calls this, once its keys and blocks are gone. */
export function seriesForget(s: Series): void {
  const node = s.node;
  free(s.openBins, MemoryKind.OpenBlocks);
  byNodeAndMetric.remove(hashOf(node, s.metric), changetype<usize>(s));
  store<u32>(allSeries.slot(s.number), RESERVED);
  allSeries.reservedNumbers++;
  allSeries.count--;
  removeFromNode(node, s);
  free(changetype<usize>(s), MemoryKind.Index);
  nodePrune(node);
}

function appendToNode(node: Node, s: Series): void {
  const last = node.lastSeries;
  if (last) last.nextInNode = s;
  else node.firstSeries = s;
  node.lastSeries = s;
}

/** Takes a series off the node's list; the node stays even if empty (see `nodePrune`). */
function removeFromNode(node: Node, s: Series): void {
  let prev: Series | null = null;
  let at = node.firstSeries;
  while (at && at != s) {
    prev = at;
    at = at.nextInNode;
  }
  const next = s.nextInNode;
  if (prev) prev.nextInNode = next;
  else node.firstSeries = next;
  if (!next) node.lastSeries = prev;
  tree.version++;
}

/** Fixes bin 0 by the first sample's time. */
export function setAnchor(s: Series, anchor: i64, firstBin: i32): void {
  s.anchorAt(anchor);
  settledChanged(s);
  s.setOpenStart(firstBin);
}
