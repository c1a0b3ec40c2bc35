/**
 * What the host sees of the core: numbers only. Addresses are of linear memory; memory is the core's unless a comment says
 * that the caller frees it. Times are unix seconds as f64, sizes bytes. Only src/wasm calls it.
 */
import { MemoryKind, STAGING_SLACK } from '../src/wasm/tables/codes';
import { alloc, bytesReserved, bytesUsed, expectBytes, free } from './memory/alloc';
import { out } from './memory/out';
import { Frame } from './durable/frame';
import { dumpFind } from './answer/dump';
import { log } from './durable/log';
import { replayEnd } from './durable/replay';
import { forgetKeptHosts, freeBelow } from './series/retention';
import { rollupsDrop } from './read/rollup-cache';
import { Metric } from './series/metrics';
import { Node } from './series/records';
import { allSeries, seriesByNumber } from './series/series';
import { seriesRemove } from './series/remove';
import { root, tree } from './series/tree';

export { setHashKey } from './memory/siphash';
export { metricAdd, metricChange } from './series/metrics';
export { partitionOf } from './series/partition';
export { timeFaultCount, timeFaults } from './ingest/clock';
export { route } from './ingest/route';
export { runs } from './ingest/runs';
export { setTags } from './text/tags';
export { keysForget } from './series/keys';
export {
  batch,
  fieldsLeftOut,
  linesRefused,
  linesSkipped,
  linesStored,
  storeOnlyMissing,
} from './ingest/batch';
export { ingest } from './ingest/ingest';
export { setPartition } from './ingest/place';
export { unconfigured } from './ingest/unconfigured';
export { log } from './durable/log';
export { out } from './memory/out';
export { found, nextFrame } from './durable/frames';
export { replayBegin, replayFrame, replayed } from './durable/replay';
export {
  checkpointBegin,
  checkpointForget,
  checkpointLoad,
  checkpointLoadEnd,
  checkpointSpan,
  checkpointStep,
  loadUntil,
  loaded,
} from './durable/checkpoint';
export { importRun } from './durable/import';
export { parentOf, seriesHost, takeUnsaved, unsaved, unsavedBefore } from './durable/unsaved';
export { exportSeries, exported } from './answer/export';
export { queryBegin, queryBytes, queryEnd, queryRest } from './answer/answer';
export { queryEnds, queryStep } from './answer/cc-json';
export { columnsStep } from './answer/columns';
export { writeUnit } from './answer/unit';
export { queryAllBegin } from './answer/nodes';
export { activeHosts, hostIsActive } from './answer/active-hosts';
export { dumpBegin, dumpStep } from './answer/dump';
export { leafBegin, leafEnd, leafStep } from './answer/leaf';
export { printSamples } from './answer/samples';
export { nodeHealth } from './answer/health';
export { ageBegin, ageBuckets, ageStep } from './series/age-histogram';
export { hostsStep } from './answer/hosts';
export { levelNamesStep, treeChanges } from './answer/level-names';
export { keepHost, oldestTime, retainFreed, retainStep } from './series/retention';
export {
  childCount,
  countBegin,
  countStep,
  counted,
  countedMetric,
  countedNode,
} from './answer/figures';

/** Scratch memory for the host's input, with STAGING_SLACK readable bytes after it; to be given back by `bufferFree`. 0: exhausted. */
export function bufferAlloc(bytes: u32): usize {
  return alloc(bytes + STAGING_SLACK, MemoryKind.Scratch);
}

/** Writes the header of a frame at p, whose n bytes of payload follow it already. */
export function sealFrame(p: usize, n: u32, magic: u32): void {
  changetype<Frame>(p).seal(magic, n);
}

/** Gives memory of `bufferAlloc` back. */
export function bufferFree(p: usize): void {
  free(p, MemoryKind.Scratch);
}

/** Makes room for so many bytes of samples that will come, as far as there is room. */
export function expectSamples(bytes: f64): void {
  expectBytes(<u32>min(bytes, <f64>0x7fffffff));
}

/** Bytes in use. */
export function memoryUsed(kind: MemoryKind): u32 {
  return bytesUsed(kind);
}

/** Bytes of linear memory that were never touched: the reserve of alloc.ts. */
export function memoryReserved(): u32 {
  return bytesReserved();
}

/** Series that exist, one past the highest number of one, and hosts. */
export function seriesCount(): u32 {
  return allSeries.count;
}
export function seriesEnd(): u32 {
  return allSeries.end;
}
export function hostCount(): u32 {
  return tree.hosts;
}

/** The node with this selector (u16 length + bytes, `count` times); null: there is none. The root for none. */
export function findNode(names: usize, count: i32): Node | null {
  return dumpFind(names, count);
}

/**
 * Frees blocks that end before `to` at and below a node of `findNode`, and logs that, so that a restart does not bring
 * them back. @returns blocks freed; -1 when memory for the log is exhausted.
 */
export function freeNode(node: Node, to: f64): i32 {
  if (!log.free(node, <i64>to)) return -1;
  rollupsDrop();
  return freeBelow(node, <i64>to);
}

/** Ends loading: series that got no sample disappear. */
export function loadEnd(): void {
  replayEnd();
  for (let i: u32 = 0; i < allSeries.end; i++) {
    const s = seriesByNumber(i);
    if (s && s.isEmpty) seriesRemove(s);
  }
}

/** Empties the output buffer. */
export function outReset(): void {
  out.reset();
}

/** The log goes on in a new segment; what was gathered is in the file, or will never be. */
export function logStartSegment(): void {
  log.startSegment();
}
export function logTaken(): void {
  log.clear();
}

/** Ends a retention pass: no host is spared any longer, and no roll-up of what was freed is kept. */
export function retainEnd(): void {
  rollupsDrop();
  forgetKeptHosts();
}

/** First child of a node (null: of the root), its next sibling, and its name: for listing clusters. */
export function firstChild(node: Node | null): Node | null {
  return node ? node.firstChild : root.firstChild;
}
export function nextSibling(node: Node): Node | null {
  return node.next;
}
export function nameOf(node: Node): usize {
  return node.name;
}
export function nameLengthOf(node: Node): i32 {
  return node.nameLength;
}
export function metricNameOf(metric: Metric): usize {
  return metric.name;
}
export function metricNameLengthOf(metric: Metric): i32 {
  return metric.nameLength;
}
