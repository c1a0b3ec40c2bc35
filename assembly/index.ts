/**
 * What the host sees of the core: numbers only. Addresses are of linear memory; memory is the core's unless a comment says
 * that the caller frees it. Times are unix seconds as f64, sizes bytes. src/wasm/instance.ts is the only caller.
 */
import { Kind, alloc, bytesReserved, bytesUsed, expectBytes, free } from './memory/alloc';
import { dumpFind } from './answer/dump';
import { logFree } from './durable/log';
import { replayEnd } from './durable/replay';
import { freeBelow } from './series/retention';
import { rollupsDrop } from './read/rollup-cache';
import { seriesByNumber, seriesEnd, seriesIsEmpty } from './series/series';
import { seriesRemove } from './series/remove';
import { nodeFind, nodeFirstChild, nodeName, nodeNameLength, nodeNext, root } from './series/tree';

export { setHashKey } from './memory/siphash';
export { metricAdd } from './series/metrics';
export { partitionOf } from './series/partition';
export { route } from './route';
export { runCount, runsAt } from './runs';
export {
  batchLines,
  batchRefused,
  batchSkipped,
  batchStored,
  ingest,
  linesRefused,
  linesSkipped,
  linesStored,
  refusalCount,
  refusals,
  setPartition,
} from './ingest';
export { logBytes, logLength, logStartSegment, logTaken } from './durable/log';
export { frameAt, frameLength, frameNeeded, frameSkipped, nextFrame } from './durable/frames';
export { replayBegin, replayFrame, replayFrees, replayLeftOut, replayStored, replayUnnamed } from './durable/replay';
export {
  checkpointBegin,
  checkpointForget,
  checkpointFrom,
  checkpointLoad,
  checkpointLoadEnd,
  checkpointStep,
  checkpointTo,
  loadUntil,
  loadedSeries,
  unsoundBlocks,
} from './durable/checkpoint';
export { importRun, importedSamples } from './durable/import';
export { parentOf, seriesHost, unsavedBefore, unsavedFrom, unsavedSpan, unsavedTo } from './durable/unsaved';
export { exportSeries, exportedCount, exportedFrequency, exportedNames, exportedStart } from './answer/export';
export { queryBegin, queryEnd, queryEndCount, queryEnds, queryStep } from './read/query';
export { expandedText, queryAllBegin } from './answer/nodes';
export { dumpBegin, dumpStep } from './answer/dump';
export { nodeHealth } from './answer/health';
export { keepHost, oldestTime, retainEnd, retainFreed, retainStep } from './series/retention';
export {
  blocksByCodec,
  childCount,
  countBegin,
  countStep,
  countedBytes,
  countedCluster,
  countedSamples,
  countedSeries,
} from './answer/figures';
export { outBytes, outLength, outReset } from './memory/out';
export { seriesCount, seriesEnd } from './series/series';
export { hostCount } from './series/tree';

/** Scratch memory for the host's input, 64 readable bytes behind it included; to be given back by `bufferFree`. 0: exhausted. */
export function bufferAlloc(bytes: u32): usize {
  return alloc(bytes + 64, Kind.SCRATCH);
}

/** Gives memory of `bufferAlloc` back. */
export function bufferFree(p: usize): void {
  free(p, Kind.SCRATCH);
}

/** Makes room for so many bytes of samples that will come, as far as there is room. */
export function expectSamples(bytes: f64): void {
  expectBytes(<u32>min(bytes, <f64>0x7fffffff));
}

/** Bytes in use: 0 index, 1 open blocks, 2 sealed blocks, 3 scratch, 4 kept roll-ups. */
export function memoryUsed(kind: i32): u32 {
  return bytesUsed(kind);
}

/** Bytes of linear memory that were never touched: the reserve of alloc.ts. */
export function memoryReserved(): u32 {
  return bytesReserved();
}

/** The node with this selector (u16 length + bytes, `count` times); 0: there is none. The root for none. */
export function findNode(names: usize, count: i32): usize {
  return dumpFind(names, count);
}

/**
 * Frees blocks that end before `to` at and below a node of `findNode`, and logs that, so that a restart does not bring
 * them back. @returns blocks freed; -1 when memory for the log is exhausted.
 */
export function freeNode(node: usize, to: f64): i32 {
  if (!logFree(node, <i64>to)) return -1;
  rollupsDrop();
  return freeBelow(node, <i64>to);
}

/** Ends loading: series that got no sample disappear. */
export function loadEnd(): void {
  replayEnd();
  for (let i: u32 = 0; i < seriesEnd; i++) {
    const s = seriesByNumber(i);
    if (s && seriesIsEmpty(s)) seriesRemove(s);
  }
}

/** First child of a node (0: of the root), its next sibling, and its name: for listing clusters. */
export function firstChild(node: usize): usize {
  return nodeFirstChild(node ? node : root);
}
export function nextSibling(node: usize): usize {
  return nodeNext(node);
}
export function nameOf(node: usize): usize {
  return nodeName(node);
}
export function nameLengthOf(node: usize): i32 {
  return nodeNameLength(node);
}
