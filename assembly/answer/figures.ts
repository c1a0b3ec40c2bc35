/** Counts for /metrics and `debug?summary=1`. */
import { Entry } from '../series/blocks';
import { blockCodec, blockCount, blockGaps } from '../codec/block';
import { statCount, stats } from '../read/kernels';
import { blockCountOf, openBins, openLength, seriesByNumber, seriesEnd, seriesNode } from '../series/series';
import { nodeFirstChild, nodeNext, nodeParent, root } from '../series/tree';

/** Codec numbers are smaller than this. */
const CODECS: i32 = 16;
/** Sealed blocks by codec, u32 each; loose blocks stand at the last place. Filled by `countStep`. */
export const blocksByCodec: usize = memory.data(4 * 16, 4);
/** Filled by `countStep`. */
export let countedSamples: f64 = 0;
export let countedSeries: u32 = 0;
/** Bytes of blocks, open ones included. */
export let countedBytes: f64 = 0;
/** Node of the cluster whose series the last `countStep` counted; 0: there were none, or it counted all. */
export let countedCluster: usize = 0;

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
  const end = min(from + n, seriesEnd);
  countedCluster = 0;
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
  return end < seriesEnd ? <f64>end : -1;
}

function clusterOf(s: usize): usize {
  let node = seriesNode(s);
  while (nodeParent(node) != root) node = nodeParent(node);
  return node;
}

function count(s: usize): void {
  countedSeries++;
  for (let i = 0; i < blockCountOf(s); i++) {
    const e = Entry.at(s, i);
    countedBytes += <f64>Entry.bytes(e);
    let codec = CODECS - 1;
    if (Entry.isLoose(e)) {
      stats(Entry.bins(e), Entry.count(e));
      countedSamples += <f64>statCount;
    } else {
      codec = blockCodec(Entry.block(e));
      countedSamples += <f64>(blockCount(Entry.block(e)) - blockGaps(Entry.block(e)));
    }
    const counter = blocksByCodec + (<usize>codec << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  const n = openLength(s);
  if (!n) return;
  stats(openBins(s), n);
  countedSamples += <f64>statCount;
  countedBytes += <f64>(n << 3);
}

/** Children of a node. */
export function childCount(node: usize): u32 {
  let n: u32 = 0;
  for (let child = nodeFirstChild(node); child; child = nodeNext(child)) n++;
  return n;
}
