/** Counts for /metrics and `debug?summary=1`. */
import { blockCodec, blockCount, blockGaps } from '../codec/block';
import { statCount, stats } from '../read/kernels';
import { Node, Series } from '../series/records';
import { allSeries, seriesByNumber } from '../series/series';
import { root } from '../series/tree';

/** Codec numbers are smaller than this. */
const CODECS: i32 = 16;
/** Sealed blocks by codec, u32 each; loose blocks stand at the last place. Filled by `countStep`. */
export const blocksByCodec: usize = memory.data(4 * 16, 4);
/** Filled by `countStep`. */
export let countedSamples: f64 = 0;
export let countedSeries: u32 = 0;
/** Bytes of blocks, open ones included. */
export let countedBytes: f64 = 0;
/** Node of the cluster whose series the last `countStep` counted; null: there were none, or it counted all. */
export let countedCluster: Node | null = null;

/** Starts counting. */
export function countBegin(): void {
  memory.fill(blocksByCodec, 0, 4 * CODECS);
  countedSamples = 0;
  countedSeries = 0;
  countedBytes = 0;
}

/**
 * Counts series [from, from + n) by number.
 * @param oneCluster stops before the first series of another cluster than the first one's, which is `countedCluster` then.
 * @returns where to go on; -1 at the end.
 */
export function countStep(from: u32, n: u32, oneCluster: bool): f64 {
  const end = min(from + n, allSeries.end);
  countedCluster = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    if (oneCluster) {
      const cluster = clusterOf(s);
      if (!countedCluster) countedCluster = cluster;
      else if (countedCluster != cluster) return <f64>i;
    }
    count(s);
  }
  return end < allSeries.end ? <f64>end : -1;
}

function clusterOf(s: Series): Node {
  let node = s.node;
  while (node.parent != root) node = node.parent;
  return node;
}

function count(s: Series): void {
  countedSeries++;
  for (let i = 0; i < s.blockCount; i++) {
    const row = s.block(i);
    countedBytes += <f64>row.bytes;
    let codec = CODECS - 1;
    if (row.isLoose) {
      stats(row.loose.bins, row.count);
      countedSamples += <f64>statCount;
    } else {
      codec = blockCodec(row.block);
      countedSamples += <f64>(blockCount(row.block) - blockGaps(row.block));
    }
    const counter = blocksByCodec + (<usize>codec << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  const n = s.openLength;
  if (!n) return;
  stats(s.openBins, n);
  countedSamples += <f64>statCount;
  countedBytes += <f64>(n << 3);
}

/** Children of a node. */
export function childCount(node: Node): u32 {
  let n: u32 = 0;
  for (let child = node.firstChild; child; child = child!.next) n++;
  return n;
}
