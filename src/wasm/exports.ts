/** The types of the core's exports; what they mean is documented at assembly/index.ts. Only this folder calls them. */

export interface Exports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  setHashKey(k0: bigint, k1: bigint): void;
  metricAdd(name: number, length: number, frequency: number, aggregation: number, precision: number): number;
  bufferAlloc(bytes: number): number;
  bufferFree(p: number): void;
  memoryUsed(kind: number): number;
  memoryReserved(): number;
  expectSamples(bytes: number): void;
  route(p: number, n: number, cluster: number, clusterLength: number, partitions: number): number;
  runsAt(): number;
  runCount: WebAssembly.Global;
  setPartition(index: number, count: number): void;
  partitionOf(cluster: number, clusterLength: number, host: number, hostLength: number, partitions: number): number;
  ingest(
    p: number,
    n: number,
    cluster: number,
    clusterLength: number,
    perSecond: number,
    now: number,
    oldest: number,
    newest: number,
    isTrusted: boolean,
  ): number;
  storeOnlyMissing(on: boolean): void;
  timeFaults: WebAssembly.Global;
  timeFaultCount(): number;
  ingestFields(
    p: number,
    n: number,
    cluster: number,
    clusterLength: number,
    perSecond: number,
    now: number,
    oldest: number,
    newest: number,
    isTrusted: boolean,
  ): number;
  setTags(p: number, n: number, count: number): number;
  keysForget(): void;
  fieldsLeftOut(): number;
  batchLeftOut: WebAssembly.Global;
  batchLines: WebAssembly.Global;
  batchStored: WebAssembly.Global;
  batchSkipped: WebAssembly.Global;
  batchRefused: WebAssembly.Global;
  refusalCount: WebAssembly.Global;
  refusals: WebAssembly.Global;
  linesStored(): number;
  linesSkipped(): number;
  linesRefused(reason: number): number;
  logBytes(): number;
  logLength: WebAssembly.Global;
  logStartSegment(): void;
  logTaken(): void;
  nextFrame(p: number, end: number, magic: number, rest: number): number;
  frameAt: WebAssembly.Global;
  frameLength: WebAssembly.Global;
  frameNeeded: WebAssembly.Global;
  frameSkipped: WebAssembly.Global;
  sealFrame(p: number, length: number, magic: number): void;
  replayBegin(): void;
  replayFrame(p: number, n: number, since: number, self: number, partitions: number): number;
  replayStored: WebAssembly.Global;
  replayLeftOut: WebAssembly.Global;
  replayUnnamed: WebAssembly.Global;
  replayFrees: WebAssembly.Global;
  checkpointBegin(): void;
  checkpointStep(cursor: number, budget: number, full: number): number;
  checkpointForget(): void;
  checkpointLoad(p: number, n: number, since: number, self: number, partitions: number, dirty: number): number;
  checkpointLoadEnd(): void;
  checkpointFrom: WebAssembly.Global;
  checkpointTo: WebAssembly.Global;
  loadedSeries: WebAssembly.Global;
  unsoundBlocks: WebAssembly.Global;
  loadEnd(): void;
  loadUntil(time: number): void;
  unsavedBefore(from: number, n: number, to: number): number;
  seriesHost(number: number): number;
  parentOf(node: number): number;
  unsavedSpan(number: number, full: number): number;
  unsavedFrom: WebAssembly.Global;
  unsavedTo: WebAssembly.Global;
  importRun(
    names: number,
    namesLength: number,
    start: number,
    frequency: number,
    values: number,
    n: number,
    since: number,
    self: number,
    partitions: number,
  ): number;
  importedSamples: WebAssembly.Global;
  exportSeries(number: number, from: number, to: number): number;
  exportedCount: WebAssembly.Global;
  exportedStart: WebAssembly.Global;
  exportedFrequency: WebAssembly.Global;
  exportedNames: WebAssembly.Global;
  queryBegin(request: number): number;
  queryStep(state: number, budget: number): number;
  queryEnd(state: number): void;
  columnsStep(state: number, budget: number): number;
  queryEnds: WebAssembly.Global;
  queryEndCount: WebAssembly.Global;
  queryAllBegin(request: number): number;
  findNode(names: number, count: number): number;
  freeNode(node: number, to: number): number;
  dumpBegin(node: number): void;
  dumpStep(budget: number): number;
  levelNamesStep(from: number, n: number, depth: number): number;
  treeChanges(): number;
  leafBegin(request: number, length: number): number;
  leafSeries(leaf: number): number;
  leafStep(leaf: number, budget: number): number;
  leafEnd(leaf: number): void;
  nodeHealth(names: number, now: number, until: number, out: number): number;
  hostsStep(from: number, n: number): number;
  activeHosts(since: number, until: number): number;
  hostIsActive(host: number, since: number, until: number): number;
  keepHost(cluster: number, clusterLength: number, host: number, hostLength: number): void;
  retainStep(from: number, n: number, to: number): number;
  retainEnd(): void;
  retainFreed: WebAssembly.Global;
  oldestTime(): number;
  ageBegin(now: number): void;
  ageStep(from: number, n: number): number;
  ageBuckets: WebAssembly.Global;
  countBegin(): void;
  countStep(from: number, n: number, alike: boolean): number;
  countedNode(): number;
  countedMetric(): number;
  blocksByCodec: WebAssembly.Global;
  childCount(node: number): number;
  countedSamples: WebAssembly.Global;
  countedSeries: WebAssembly.Global;
  countedBytes: WebAssembly.Global;
  outBytes(): number;
  outLength(): number;
  outReset(): void;
  seriesCount(): number;
  seriesEnd(): number;
  hostCount(): number;
  firstChild(node: number): number;
  nextSibling(node: number): number;
  nameOf(node: number): number;
  nameLengthOf(node: number): number;
}
