/**
 * The one file that calls the core. A `Core` is one partition: an instance of the module on its linear memory. What a method
 * returns as a view is valid until the next call.
 *
 * Longer than other files on purpose: split up, several would call the exports.
 */
import { randomBytes } from 'node:crypto';
import type { MetricConfig } from '../config/config.js';
import { StoreError } from '../store-error.js';
import { codecNames } from './codec-names.js';
import { AgeHistogram, Aggregation, FrameMagic, LineError, Precision } from './codes.js';
import type { Exports } from './exports.js';
import { decodeHosts, type HostPart } from './hosts.js';
import { concat, decodeNames, encodeList, encodeName, encodeNames } from './names.js';
import { type MemoryView, WasmInstance } from './wasm-instance.js';

/** Magic numbers of frames, little-endian; see docs/formats.md. */
export const LOG_MAGIC = FrameMagic.Log;
export const CHECKPOINT_MAGIC = FrameMagic.Checkpoint;

/** Staging is given back when one large body has grown it beyond this, bytes. */
const STAGING_KEEP = 4 << 20;
const STAGING_FIRST = 256 << 10;
/** See assembly/runs.ts. */
const RUN_BYTES = 20;
const NONE: Run[] = [];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Batch {
  /** Lines of the text, blank ones included. */
  lines: number;
  stored: number;
  skipped: number;
  refused: number;
  /** First refused lines: number within the text, counting from 1, and LineError. */
  refusals: [line: number, reason: LineError][];
  outOfMemory: boolean;
  /** Lines of other partitions' hosts, which were not stored; offsets may be one past the text at a missing last newline. */
  strays: Run[];
}

/** A stretch of consecutive lines for one partition. */
export interface Run {
  partition: number;
  /** Bytes from the start of the text. */
  offset: number;
  length: number;
  /** Number of its first line, counting from 0. */
  firstLine: number;
  lines: number;
}

/** A step's output. */
export interface Output {
  /** Valid until the next call. */
  bytes: MemoryView;
  /** Nothing follows. */
  done: boolean;
}

/** Bins of one series: the middle of bin i is at start + i * frequency. Missing bins are NaN. */
export interface ExportedSeries {
  /** Cluster, host, level, sublevel. */
  levels: string[];
  metric: string;
  frequency: number;
  start: number;
  values: Float64Array;
}

/** Bytes allocated in linear memory, exactly, by kind; `total` of all kinds. */
export interface MemoryUse {
  index: number;
  openBlocks: number;
  sealedBlocks: number;
  rollups: number;
  total: number;
}

export interface Counts {
  series: number;
  samples: number;
  bytes: number;
  blocks: Record<string, number>;
}

export class Core {
  readonly #wasm: WasmInstance;
  #staging = 0;
  #stagingSize = 0;
  #cluster = '';
  #clusterBytes: Uint8Array = new Uint8Array(0);

  /**
   * @param module of dist/core.wasm. @param metrics in the config's order.
   * @param index of this partition among `partitions`: decides which hosts loading takes.
   */
  constructor(
    module: WebAssembly.Module,
    metrics: ReadonlyMap<string, MetricConfig>,
    readonly index: number,
    readonly partitions: number,
  ) {
    this.#wasm = new WasmInstance(module);
    const key = randomBytes(16);
    this.#x.setHashKey(key.readBigUInt64LE(0), key.readBigUInt64LE(8));
    this.#x.setPartition(index, partitions);
    for (const [name, metric] of metrics) this.#addMetric(name, metric);
  }

  get #x(): Exports {
    return this.#wasm.exports;
  }

  get #bytes(): MemoryView {
    return this.#wasm.bytes;
  }

  get #words(): DataView<ArrayBuffer> {
    return this.#wasm.words;
  }

  #addMetric(name: string, metric: MetricConfig): void {
    const bytes = encoder.encode(name);
    const p = this.#stage(bytes);
    const aggregation = { sum: Aggregation.Sum, avg: Aggregation.Avg, none: Aggregation.None }[
      metric.aggregation ?? 'none'
    ];
    const precision =
      metric.precision === 'double'
        ? Precision.Double
        : metric.precision === 'single'
          ? Precision.Single
          : metric.precision;
    if (this.#x.metricAdd(p, bytes.length, metric.frequency, aggregation, precision) < 0) throw outOfMemory();
  }

  /** Staging with room for n bytes; its old content is lost when it grows. */
  #reserve(n: number): number {
    if (this.#stagingSize < n) {
      this.#x.bufferFree(this.#staging);
      this.#stagingSize = 0;
      const size = Math.max(STAGING_FIRST, n);
      this.#staging = this.#x.bufferAlloc(size) >>> 0;
      if (!this.#staging) throw outOfMemory();
      this.#stagingSize = size;
    }
    return this.#staging;
  }

  /** Copies bytes into staging. */
  #stage(bytes: Uint8Array, more = 0): number {
    const p = this.#reserve(bytes.length + more);
    this.#bytes.set(bytes, p);
    return p;
  }

  /** Gives back staging that one large input has grown. */
  releaseStaging(): void {
    if (this.#stagingSize <= STAGING_KEEP) return;
    this.#x.bufferFree(this.#staging);
    this.#staging = 0;
    this.#stagingSize = 0;
  }

  #encodeCluster(cluster: string): Uint8Array {
    if (cluster !== this.#cluster) {
      this.#cluster = cluster;
      this.#clusterBytes = encoder.encode(cluster);
    }
    return this.#clusterBytes;
  }

  /** Where the lines of the text belong. @param text whole lines. */
  route(text: Uint8Array, cluster: string, partitions: number): Run[] {
    const name = this.#encodeCluster(cluster);
    const p = this.#stage(text, name.length + 64);
    const at = p + text.length + 64;
    this.#bytes.set(name, at);
    if (this.#x.route(p, text.length, at, name.length, partitions) < 0) throw outOfMemory();
    return this.#runs();
  }

  #runs(): Run[] {
    const count = this.#x.runCount.value;
    const words = this.#words;
    let r = this.#x.runsAt() >>> 0;
    return Array.from({ length: count }, () => {
      const run = {
        partition: words.getUint32(r, true),
        offset: words.getUint32(r + 4, true),
        length: words.getUint32(r + 8, true),
        firstLine: words.getUint32(r + 12, true),
        lines: words.getUint32(r + 16, true),
      };
      r += RUN_BYTES;
      return run;
    });
  }

  /** The partition of a host. */
  partitionOf(cluster: string, host: string, partitions: number): number {
    const a = this.#encodeCluster(cluster);
    const b = encoder.encode(host);
    const p = this.#stage(a, b.length);
    this.#bytes.set(b, p + a.length);
    return this.#x.partitionOf(p, a.length, p + a.length, b.length, partitions) >>> 0;
  }

  /** Whether this partition's hosts include it. */
  owns(cluster: string, host: string): boolean {
    return this.partitionOf(cluster, host, this.partitions) === this.index;
  }

  /**
   * Stores lines and gathers their log bytes (`logged`). @param text whole lines; copied.
   * @param perSecond units of the timestamps a second; 0: by magnitude. @param now unix seconds, for lines without a time.
   */
  ingest(text: Uint8Array, cluster: string, perSecond: number, now: number): Batch {
    const name = this.#encodeCluster(cluster);
    const p = this.#stage(text, name.length + 64);
    const at = p + text.length + 64;
    this.#bytes.set(name, at);
    const x = this.#x;
    // Not all refusals are described, so that the counter has to tell.
    const refusedForMemory = x.linesRefused(LineError.OutOfMemory);
    if (!x.ingest(p, text.length, at, name.length, perSecond, now)) throw outOfMemory();
    const refusals: [number, LineError][] = [];
    if (x.refusalCount.value) {
      const words = this.#words;
      let r = x.refusals.value;
      for (let i = 0; i < x.refusalCount.value; i++, r += 8) {
        refusals.push([words.getInt32(r, true), words.getInt32(r + 4, true)]);
      }
    }
    return {
      lines: x.batchLines.value,
      stored: x.batchStored.value,
      skipped: x.batchSkipped.value,
      refused: x.batchRefused.value,
      refusals,
      outOfMemory: x.linesRefused(LineError.OutOfMemory) > refusedForMemory,
      strays: x.runCount.value ? this.#runs() : NONE,
    };
  }

  /** Log bytes gathered since `logTaken`: whole frames, as a view. */
  logged(): MemoryView {
    const p = this.#x.logBytes() >>> 0;
    return this.#bytes.subarray(p, p + (this.#x.logLength.value >>> 0));
  }

  /** Forgets the gathered log bytes: they are in the file, or will never be. */
  logTaken(): void {
    this.#x.logTaken();
  }

  /** The log goes on in a new file: names are written again. */
  logStartSegment(): void {
    this.#x.logStartSegment();
  }

  /**
   * Reads what a file holds: calls `onFrame` for each whole frame, `skip` for what lies between.
   * @param read fills a buffer from a file offset and returns the bytes read, 0 at the end.
   * @param chunk bytes read at a time. @param size of the file: a frame that claims more is damaged.
   * @returns offset behind the last whole frame.
   */
  scanFrames(
    magic: number,
    chunk: number,
    read: (into: Uint8Array, offset: number) => number,
    onFrame: (payload: number, length: number) => void,
    skip: (offset: number, length: number) => void,
    size = Number.MAX_SAFE_INTEGER,
  ): number {
    const x = this.#x;
    let room = chunk;
    let offset = 0;
    let kept = 0;
    let wholeUntil = 0;
    let last = false;
    let p = this.#reserve(room);
    while (true) {
      while (kept < room && !last) {
        const n = read(this.#bytes.subarray(p + kept, p + room), offset + kept);
        if (n === 0) last = true;
        kept += n;
      }
      let at = p;
      const end = p + kept;
      const behind = last ? 0 : Math.max(1, size - offset - kept);
      let found = x.nextFrame(at, end, magic, behind);
      while (found === 1) {
        const frame = x.frameAt.value >>> 0;
        const length = x.frameLength.value >>> 0;
        if (x.frameSkipped.value) skip(offset + (at - p), x.frameSkipped.value >>> 0);
        onFrame(frame + 16, length);
        at = frame + 16 + length;
        wholeUntil = offset + (at - p);
        found = x.nextFrame(at, end, magic, behind);
      }
      const frame = x.frameAt.value >>> 0;
      if (found === 0) {
        if (end > at) skip(offset + (at - p), end - at);
        return wholeUntil;
      }
      const skipped = x.frameSkipped.value >>> 0;
      if (skipped) skip(offset + (at - p), skipped);
      // The unfinished frame moves to the front, with room for all of it.
      const needed = x.frameNeeded.value >>> 0;
      offset += frame - p;
      kept = end - frame;
      if (Math.max(chunk, needed) <= room) this.#bytes.copyWithin(p, frame, end);
      else {
        const rest = this.#bytes.slice(frame, end);
        room = needed;
        p = this.#reserve(room);
        this.#bytes.set(rest, p);
      }
    }
  }

  /** A new log file begins. */
  replayBegin(): void {
    this.#x.replayBegin();
  }

  /**
   * Stores a log frame's samples; see `scanFrames`. @returns samples stored and left out, `unnamed` of these because no frame
   * before names their series; `sound` false: it made no sense.
   */
  replayFrame(
    payload: number,
    length: number,
    since: number,
  ): { stored: number; leftOut: number; unnamed: number; sound: boolean } {
    const x = this.#x;
    const result = x.replayFrame(payload, length, since, this.index, this.partitions);
    if (result < 0) throw outOfMemory();
    return {
      stored: x.replayStored.value,
      leftOut: x.replayLeftOut.value,
      unnamed: x.replayUnnamed.value,
      sound: result === 1,
    };
  }

  /** `free` records that were replayed: what they freed is still in older checkpoint files. */
  get replayedFrees(): number {
    return this.#x.replayFrees.value;
  }

  /** Makes room for about so many bytes of samples at once, rather than bit by bit while they come. */
  expectSamples(bytes: number): void {
    this.#x.expectSamples(bytes);
  }

  /** Takes a checkpoint frame's blocks. @param dirty they belong into the next checkpoint. @returns blocks that were unsound. */
  checkpointLoad(payload: number, length: number, since: number, dirty: boolean): { series: number; unsound: number } {
    if (!this.#x.checkpointLoad(payload, length, since, this.index, this.partitions, dirty ? 1 : 0))
      throw outOfMemory();
    return { series: this.#x.loadedSeries.value, unsound: this.#x.unsoundBlocks.value };
  }

  /** All files of a directory are read, its log comes next: blocks that were open when they were written grow on. */
  checkpointLoadEnd(): void {
    this.#x.checkpointLoadEnd();
  }

  /** Loading leaves out blocks that begin at this time or later, unix seconds. */
  loadUntil(time: number): void {
    this.#x.loadUntil(time);
  }

  /** A frame's payload as a view; see `scanFrames`. */
  payload(p: number, n: number): MemoryView {
    return this.#bytes.subarray(p, p + n);
  }

  /** Whether n series from number `from` on hold a block that retention to `to` frees and no checkpoint holds; or where to go on. */
  unsavedBefore(from: number, n: number, to: number): boolean | number {
    const result = this.#x.unsavedBefore(from, n, to);
    return result === -2 ? true : result === -1 ? false : result;
  }

  /** The node of the host that the series is of; 0: there is no such series. Valid until series are freed. */
  seriesHost(number: number): number {
    return this.#x.seriesHost(number) >>> 0;
  }

  /** Names of a host's node. */
  hostNames(node: number): { cluster: string; host: string } {
    return { cluster: this.#nodeName(this.#x.parentOf(node) >>> 0), host: this.#nodeName(node) };
  }

  #nodeName(node: number): string {
    const at = this.#x.nameOf(node) >>> 0;
    return decoder.decode(this.#bytes.subarray(at, at + this.#x.nameLengthOf(node)));
  }

  /**
   * From when to when a series has bins that no checkpoint holds (`full`: any bins), unix seconds. They count as kept from
   * then on; `checkpointForget` takes that back.
   */
  takeUnsaved(number: number, full: boolean): { from: number; to: number } | undefined {
    if (!this.#x.unsavedSpan(number, full ? 1 : 0)) return undefined;
    return { from: this.#x.unsavedFrom.value, to: this.#x.unsavedTo.value };
  }

  /** Loading is over. */
  loadEnd(): void {
    this.#x.loadEnd();
    this.releaseStaging();
  }

  checkpointBegin(): void {
    this.#x.checkpointBegin();
  }

  /**
   * The next frame of a checkpoint. @returns its bytes as a view (maybe none) and the cursor to go on with, -1 at the end.
   */
  checkpointStep(cursor: number, budget: number, full: boolean): { bytes: MemoryView; next: number } {
    this.#x.outReset();
    const next = this.#x.checkpointStep(cursor, budget, full ? 1 : 0);
    if (next === -2) throw outOfMemory();
    return { bytes: this.#out(), next };
  }

  /** Span of the samples in the checkpoint just made, unix seconds; from > to: none. */
  get checkpointSpan(): { from: number; to: number } {
    return { from: this.#x.checkpointFrom.value, to: this.#x.checkpointTo.value };
  }

  /** The next checkpoint writes everything. */
  checkpointForget(): void {
    this.#x.checkpointForget();
  }

  /** Stores a run of samples from elsewhere. @returns samples stored. */
  importRun(
    levels: string[],
    metric: string,
    start: number,
    frequency: number,
    values: Float64Array,
    since: number,
  ): number {
    const names = encodeNames(levels, metric);
    const p = this.#stage(names, values.byteLength + 8);
    const at = p + names.length;
    this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    const x = this.#x;
    const error: LineError = x.importRun(
      p,
      names.length,
      start,
      frequency,
      at,
      values.length,
      since,
      this.index,
      this.partitions,
    );
    if (error === LineError.OutOfMemory) throw outOfMemory();
    return x.importedSamples.value;
  }

  /** The series with this number, its bins in [from, to); undefined: none. Numbers go to `seriesEnd`. */
  exportSeries(number: number, from: number, to: number): ExportedSeries | undefined {
    const x = this.#x;
    x.outReset();
    const result = x.exportSeries(number, from, to);
    if (result < 0) throw outOfMemory();
    if (result === 0) return undefined;
    const out = this.#out();
    const namesLength = x.exportedNames.value;
    const { levels, metric } = decodeNames(out.subarray(0, namesLength));
    const values = new Float64Array(x.exportedCount.value);
    new Uint8Array(values.buffer).set(out.subarray(namesLength, namesLength + values.byteLength));
    return { levels, metric, frequency: x.exportedFrequency.value, start: x.exportedStart.value, values };
  }

  get seriesEnd(): number {
    return this.#x.seriesEnd() >>> 0;
  }

  /** Starts a query. @param request see src/wasm/request.ts. @returns its handle for `queryStep` and `queryEnd`. */
  queryBegin(request: Uint8Array): number {
    const state = this.#x.queryBegin(this.#copied(request)) >>> 0;
    if (!state) throw outOfMemory();
    return state;
  }

  /** A copy in linear memory, to be freed by the core or the caller. */
  #copied(bytes: Uint8Array): number {
    const p = this.#x.bufferAlloc(bytes.length) >>> 0;
    if (!p) throw outOfMemory();
    this.#bytes.set(bytes, p);
    return p;
  }

  /** The next piece of the answer, about `budget` bytes. */
  queryStep(state: number, budget: number): Output {
    const x = this.#x;
    x.outReset();
    const result = x.queryStep(state, budget);
    if (result < 0) throw outOfMemory();
    return { bytes: this.#out(), done: result === 0 };
  }

  /** Where each list of results ends that the last `queryStep` completed. */
  get queryEnds(): number[] {
    const count = this.#x.queryEndCount.value;
    const at = this.#x.queryEnds.value;
    const words = this.#words;
    const ends: number[] = [];
    for (let i = 0; i < count; i++) ends.push(words.getUint32(at + 4 * i, true));
    return ends;
  }

  /** The next piece of columns, about `budget` bytes, for `readColumns`. @param state of `queryBegin`. */
  columnsStep(state: number, budget: number): Output {
    const x = this.#x;
    x.outReset();
    const result = x.columnsStep(state, budget);
    if (result < 0) throw outOfMemory();
    return { bytes: this.#out(), done: result === 0 };
  }

  queryEnd(state: number): void {
    this.#x.queryEnd(state);
    this.#x.outReset();
  }

  /**
   * Starts a query for all hosts of a cluster. @param request see src/wasm/request.ts. @returns its handle, and the queries
   * that it is made of as JSON (no brackets), a view.
   */
  queryAllBegin(request: Uint8Array): { state: number; text: MemoryView } {
    this.#x.outReset();
    const p = this.#copied(request);
    const state = this.#x.queryAllBegin(p) >>> 0;
    this.#x.bufferFree(p);
    if (!state) throw outOfMemory();
    return { state, text: this.#out().subarray(0, this.#x.expandedText.value >>> 0) };
  }

  /** The node of a selector, 0 when there is none; valid until series are freed. */
  findNode(selector: string[]): number {
    const names = encodeList(selector).subarray(2);
    return this.#x.findNode(this.#stage(names), selector.length) >>> 0;
  }

  /** Frees blocks that end before `to` at and below a node, and logs it. @returns blocks. */
  freeNode(node: number, to: number): number {
    const freed = this.#x.freeNode(node, to);
    if (freed < 0) throw outOfMemory();
    return freed;
  }

  dumpBegin(node: number): void {
    this.#x.dumpBegin(node);
  }

  /** The next piece of the dump, a view. `undefined`: the tree lost nodes meanwhile, start anew. */
  dumpStep(budget: number): Output | undefined {
    this.#x.outReset();
    const result = this.#x.dumpStep(budget);
    if (result === -2) return undefined;
    if (result < 0) throw outOfMemory();
    return { bytes: this.#out(), done: result === 0 };
  }

  /** 0 healthy, 1 degraded, 2 missing, for each metric; undefined: no such node. */
  nodeHealth(cluster: string, host: string, metrics: string[], now: number): Uint8Array | undefined {
    const names = concat([encodeName(cluster), encodeName(host), encodeList(metrics)]);
    const p = this.#stage(names, metrics.length);
    const out = p + names.length;
    if (!this.#x.nodeHealth(p, now, out)) return undefined;
    return this.#bytes.slice(out, out + metrics.length);
  }

  /** Spares a host in the coming retention pass. */
  keepHost(cluster: string, host: string): void {
    const a = encoder.encode(cluster);
    const b = encoder.encode(host);
    const p = this.#stage(a, b.length);
    this.#bytes.set(b, p + a.length);
    this.#x.keepHost(p, a.length, p + a.length, b.length);
  }

  /** Frees what ends before `to` in n series from number `from` on. @returns blocks freed, and where to go on (-1: done). */
  retainStep(from: number, n: number, to: number): { freed: number; next: number } {
    const next = this.#x.retainStep(from, n, to);
    return { freed: this.#x.retainFreed.value, next };
  }

  retainEnd(): void {
    this.#x.retainEnd();
  }

  /** Unix seconds of the oldest block; undefined: there is none. */
  oldestTime(): number | undefined {
    const t = this.#x.oldestTime();
    return t === Number.MAX_VALUE ? undefined : t;
  }

  /** Starts counting bytes by age; go on with `ageStep` from 0. @param now unix seconds that ages count from. */
  ageBegin(now: number): void {
    this.#x.ageBegin(now);
  }

  /** Counts n series from number `from` on. @returns where to go on; -1: `ages` is complete. */
  ageStep(from: number, n: number): number {
    return this.#x.ageStep(from, n);
  }

  /** Bytes by age, counted since `ageBegin`; a copy. See assembly/series/age-histogram.ts. */
  get ages(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#x.memory.buffer, this.#x.ageBuckets.value, 2 * AgeHistogram.Half).slice();
  }

  /** Starts counting; go on with `countStep` from 0. */
  countBegin(): void {
    this.#x.countBegin();
  }

  /** Counts n series from number `from` on. @returns where to go on; -1: `counted` is complete. */
  countStep(from: number, n: number): number {
    return this.#x.countStep(from, n, false);
  }

  /** The same, up to a series of another cluster than the first one's. @returns as well the cluster's node, 0: no series. */
  countClusterStep(from: number, n: number): { next: number; cluster: number } {
    const next = this.#x.countStep(from, n, true);
    return { next, cluster: this.#x.countedCluster.value >>> 0 };
  }

  get counted(): Counts {
    const x = this.#x;
    const blocks: Record<string, number> = {};
    const words = this.#words;
    codecNames.forEach((name, i) => {
      const n = words.getUint32(x.blocksByCodec.value + 4 * i, true);
      if (n) blocks[name] = n;
    });
    const loose = words.getUint32(x.blocksByCodec.value + 4 * 15, true);
    if (loose) blocks.loose = loose;
    return {
      series: x.countedSeries.value >>> 0,
      samples: x.countedSamples.value,
      bytes: x.countedBytes.value,
      blocks,
    };
  }

  /** The hosts of series [from, from + n) by number, perhaps in several parts. @returns as well where to go on; -1: at the end. */
  hostsStep(from: number, n: number): { next: number; hosts: HostPart[] } {
    this.#x.outReset();
    const next = this.#x.hostsStep(from, n);
    if (next === -2) throw outOfMemory();
    return { next, hosts: decodeHosts(this.#out()) };
  }

  /** Clusters of this partition: name, node, hosts. */
  clusters(): { name: string; node: number; hosts: number }[] {
    const x = this.#x;
    const list: { name: string; node: number; hosts: number }[] = [];
    for (let n = x.firstChild(0) >>> 0; n; n = x.nextSibling(n) >>> 0) {
      list.push({ name: this.#nodeName(n), node: n, hosts: x.childCount(n) });
    }
    return list;
  }

  /** Lines since start. */
  get totals(): { stored: number; skipped: number; refusedByReason: number[] } {
    const x = this.#x;
    const refusedByReason = Array.from({ length: LineError.OutOfMemory + 1 }, (_, reason) => x.linesRefused(reason));
    return { stored: x.linesStored(), skipped: x.linesSkipped(), refusedByReason };
  }

  /** Bytes in use, exactly, by kind. */
  get memory(): MemoryUse & { scratch: number } {
    const [index = 0, openBlocks = 0, sealedBlocks = 0, scratch = 0, rollups = 0] = [0, 1, 2, 3, 4].map(
      (k) => this.#x.memoryUsed(k) >>> 0,
    );
    const total = index + openBlocks + sealedBlocks + scratch + rollups;
    return { index, openBlocks, sealedBlocks, scratch, rollups, total };
  }

  /** Size of the linear memory, without what is set aside and untouched. */
  get linearMemory(): number {
    const reserved = this.#x.memoryReserved() >>> 0;
    return this.#bytes.byteLength - reserved;
  }

  get series(): number {
    return this.#x.seriesCount() >>> 0;
  }

  get hosts(): number {
    return this.#x.hostCount() >>> 0;
  }

  #out(): MemoryView {
    const p = this.#x.outBytes() >>> 0;
    return this.#bytes.subarray(p, p + (this.#x.outLength() >>> 0));
  }
}

function outOfMemory(): StoreError {
  return new StoreError(
    'OUT_OF_MEMORY',
    'a partition has used up its 4 GiB of linear memory: set metric-store.memory-cap, or raise it so that more partitions are made',
  );
}
