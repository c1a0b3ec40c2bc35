/** The types of the core's exports; what they mean is documented at assembly/index.ts. Only this folder calls them. */

export interface Exports extends Record<string, unknown> {
  memory: WebAssembly.Memory;
  setHashKey(k0: bigint, k1: bigint): void;
  metricChange(name: number, length: number, aggregation: number, precision: number): number;
  metricAdd(name: number, length: number, frequency: number, aggregation: number, precision: number): number;
  writeUnit(name: number, length: number): number;
  bufferAlloc(bytes: number): number;
  bufferFree(p: number): void;
  memoryUsed(kind: number): number;
  memoryReserved(): number;
  expectSamples(bytes: number): void;
  route(p: number, n: number, cluster: number, clusterLength: number, partitions: number): number;
  runs: WebAssembly.Global;
  setPartition(index: number, count: number): void;
  partitionOf(cluster: number, clusterLength: number, host: number, hostLength: number, partitions: number): number;
  ingest(
    p: number,
    n: number,
    severalFields: boolean,
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
  setTags(p: number, n: number, count: number): number;
  keysForget(): void;
  fieldsLeftOut(): number;
  batch: WebAssembly.Global;
  unconfigured: WebAssembly.Global;
  linesStored(): number;
  linesSkipped(): number;
  linesRefused(reason: number): number;
  log: WebAssembly.Global;
  logStartSegment(): void;
  logTaken(): void;
  nextFrame(p: number, end: number, magic: number, rest: number): number;
  found: WebAssembly.Global;
  sealFrame(p: number, length: number, magic: number): void;
  replayBegin(): void;
  replayFrame(p: number, n: number, since: number, self: number, partitions: number): number;
  replayed: WebAssembly.Global;
  checkpointBegin(): void;
  checkpointStep(cursor: number, budget: number, part: number): number;
  checkpointForget(): void;
  checkpointLoad(p: number, n: number, since: number, self: number, partitions: number, dirty: number): number;
  checkpointLoadEnd(): void;
  checkpointSpan: WebAssembly.Global;
  loaded: WebAssembly.Global;
  loadEnd(): void;
  loadUntil(time: number): void;
  unsavedBefore(from: number, n: number, to: number): number;
  seriesHost(number: number): number;
  parentOf(node: number): number;
  takeUnsaved(number: number, full: number): number;
  unsaved: WebAssembly.Global;
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
  exportSeries(number: number, from: number, to: number): number;
  exported: WebAssembly.Global;
  queryBegin(request: number): number;
  queryStep(state: number, budget: number): number;
  queryBytes(state: number): number;
  queryRest(state: number): void;
  queryEnd(state: number): void;
  columnsStep(state: number, budget: number): number;
  queryEnds: WebAssembly.Global;
  queryAllBegin(request: number): number;
  findNode(names: number, count: number): number;
  freeNode(node: number, to: number): number;
  dumpBegin(node: number): void;
  dumpStep(budget: number): number;
  levelNamesStep(from: number, n: number, depth: number): number;
  treeChanges(): number;
  leafBegin(request: number, length: number): number;
  leafStep(leaf: number, budget: number): number;
  leafEnd(leaf: number): void;
  printSamples(values: number, bits: number, n: number, start: number, step: number): number;
  nodeHealth(names: number, now: number, until: number, out: number): number;
  hostsStep(from: number, n: number): number;
  activeHosts(since: number, until: number): number;
  hostIsActive(host: number, since: number, until: number): number;
  keepHost(cluster: number, clusterLength: number, host: number, hostLength: number): void;
  retainStep(from: number, n: number, to: number): number;
  retainEnd(): void;
  retainFreed(): number;
  oldestTime(): number;
  ageBegin(now: number): void;
  ageStep(from: number, n: number): number;
  ageBuckets: WebAssembly.Global;
  countBegin(): void;
  countStep(from: number, n: number, alike: boolean): number;
  countedNode(): number;
  countedMetric(): number;
  childCount(node: number): number;
  counted: WebAssembly.Global;
  out: WebAssembly.Global;
  outReset(): void;
  seriesCount(): number;
  seriesEnd(): number;
  hostCount(): number;
  firstChild(node: number): number;
  nextSibling(node: number): number;
  nameOf(node: number): number;
  nameLengthOf(node: number): number;
  metricNameOf(metric: number): number;
  metricNameLengthOf(metric: number): number;
}
