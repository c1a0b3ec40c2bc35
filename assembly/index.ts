/**
 * What the host sees of the core: numbers only. Addresses are of linear memory; memory is the core's unless a comment says
 * that the caller frees it. Times are unix seconds as f64, sizes bytes. src/core/instance.ts is the only caller.
 */
export { memoryPages } from './alloc';
import { Kind, alloc, bytesReserved, bytesUsed, expectBytes, free } from './alloc';
import { dumpFind } from './dump';
import { logFree } from './log';
import { replayEnd } from './replay';
import { freeBelow } from './retention';
import { rollupsDrop } from './rollup-cache';
import { seriesByNumber, seriesEnd, seriesIsEmpty } from './series';
import { seriesRemove } from './remove';
import { nodeFind, nodeFirstChild, nodeName, nodeNameLength, nodeNext, root } from './tree';

export { setHashKey } from './siphash';
export { metricAdd } from './metrics';
export { partitionOf } from './partition';
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
export { logBytes, logLength, logStartSegment, logTaken } from './log';
export { frameAt, frameLength, frameNeeded, frameSkipped, nextFrame } from './frames';
export { replayBegin, replayFrame, replayFrees, replayLeftOut, replayStored, replayUnnamed } from './replay';
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
} from './checkpoint';
export { importRun, importedSamples } from './import';
export { parentOf, seriesHost, unsavedBefore, unsavedFrom, unsavedSpan, unsavedTo } from './unsaved';
export { exportSeries, exportedCount, exportedFrequency, exportedNames, exportedStart } from './export';
export { queryBegin, queryEnd, queryEndCount, queryEnds, queryStep } from './query';
export { expandedText, queryAllBegin } from './nodes';
export { dumpBegin, dumpStep } from './dump';
export { nodeHealth } from './health';
export { keepHost, oldestTime, retainEnd, retainFreed, retainStep } from './retention';
export {
  blocksByCodec,
  childCount,
  countBegin,
  countStep,
  countedBytes,
  countedCluster,
  countedSamples,
  countedSeries,
} from './figures';
export { outBytes, outLength, outReset } from './out';
export { seriesCount, seriesEnd } from './series';
export { hostCount } from './tree';

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
