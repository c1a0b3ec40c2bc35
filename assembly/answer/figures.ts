/** Counts for /metrics and `debug?summary=1`. */
import { LOOSE_BLOCKS } from '../../src/wasm/codes';
import { bytesEqual } from '../memory/bytes';
import { stats } from '../read/kernels';
import { Statistics } from '../read/statistics';
import { Node, Series } from '../series/records';
import { allSeries, nextStep, seriesByNumber } from '../series/series';
import { DEPTH_HOST } from '../series/tree';

const BYTES: i32 = 4 * (LOOSE_BLOCKS + 1);
/** Sealed blocks by codec, u32 each; the last place is of loose blocks. Filled by `countStep`. */
export const blocksByCodec: usize = memory.data(BYTES, 4);
/** Filled by `countStep`. */
export let countedSamples: f64 = 0;
export let countedSeries: u32 = 0;
/** Bytes of blocks, open ones included. */
export let countedBytes: f64 = 0;
/** The first series that the last `countStep` counted; null: there was none. */
let countedFirst: Series | null = null;

/** Starts counting. */
export function countBegin(): void {
  memory.fill(blocksByCodec, 0, BYTES);
  countedSamples = 0;
  countedSeries = 0;
  countedBytes = 0;
}

/**
 * Counts series [from, from + n) by number.
 * @param alike stops before the first series of another metric, cluster or kind of level than `countedFirst`. A collector
 *   sends the lines of a metric one after the other, so there are mostly many in a row.
 * @returns where to go on; `SeriesStep.End`.
 */
export function countStep(from: u32, n: u32, alike: bool): f64 {
  const end = min(from + n, allSeries.end);
  countedFirst = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    const first = countedFirst;
    if (!first) countedFirst = s;
    else if (alike && !(s.metric == first.metric && sameKind(s.node, first.node))) return <f64>i;
    count(s);
  }
  return nextStep(end);
}

/** Whether two nodes are of the same cluster and at levels of one kind: hwthread0 and hwthread71 are. */
function sameKind(a: Node, b: Node): bool {
  if (a.depth != b.depth) return false;
  while (<i32>a.depth > DEPTH_HOST) {
    const n = kindLength(a);
    if (n != kindLength(b) || !bytesEqual(a.name, b.name, n)) return false;
    a = a.parent;
    b = b.parent;
  }
  return a.parent == b.parent;
}

/** Bytes of a level's name before its first digit. */
function kindLength(node: Node): i32 {
  let n = 0;
  while (n < node.nameLength && <u32>(load<u8>(node.name + n) - 0x30) > 9) n++;
  return n;
}

const run = changetype<Statistics>(memory.data(offsetof<Statistics>(), 8));

function count(s: Series): void {
  countedSeries++;
  for (let i = 0; i < s.blockCount; i++) {
    const row = s.block(i);
    countedBytes += <f64>row.bytes;
    let codec = LOOSE_BLOCKS;
    if (row.isLoose) {
      stats(row.loose.bins, row.count, run);
      countedSamples += <f64>run.samples;
    } else {
      codec = <i32>row.sealed.codec;
      countedSamples += <f64>row.sealed.present;
    }
    const counter = blocksByCodec + (<usize>codec << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  const n = s.openLength;
  if (!n) return;
  stats(s.openBins, n, run);
  countedSamples += <f64>run.samples;
  countedBytes += <f64>(n << 3);
}

/** The node of the first series that the last `countStep` counted, null when there was none, and the number of its metric. */
export function countedNode(): Node | null {
  const first = countedFirst;
  return first ? first.node : null;
}
export function countedMetric(): i32 {
  const first = countedFirst;
  return first ? first.metric.number : -1;
}

/** Children of a node. */
export function childCount(node: Node): u32 {
  let n: u32 = 0;
  for (let child = node.firstChild; child; child = child!.next) n++;
  return n;
}
