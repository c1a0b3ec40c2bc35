/** Stores lines, frees samples, and gives out the log bytes of both. */
import type { TagRule } from '../config/influx-tags.js';
import { type Instance, type MemoryView, outOfMemory } from './instance.js';
import { encodeSelector, NameBytes } from './names.js';
import { type Run, readRuns } from './runs.js';
import { LineError, STAGING_SLACK } from './tables/codes.js';
import { BatchField, LoggedField, RefusalField, TimeFaultField } from './tables/layouts.js';
import { encodeTagRules } from './tag-rules.js';

const encoder = new TextEncoder();

const decoder = new TextDecoder();

/** What the fields of a line are: one, called `value`, or any number, a sample each. */
export type FieldMode = 'value' | 'all';

/** Unix seconds: which timestamps of lines are good. */
export interface TimeLimits {
  oldest: number;
  newest: number;
  /** False: lines with others are stored all the same, and their hosts noted. */
  isTrusted: boolean;
}

/** A host that sent lines whose time is at fault. */
export interface TimeFault {
  reason: LineError;
  cluster: string;
  host: string;
  /** Such lines of it in the batch. */
  lines: number;
  /** Time of the first of them, unix seconds. */
  seconds: number;
}

/**
 * Its number within the text, counting from 1. `cause`: of whom it is, if its time is at fault; or the tag that is to blame, as
 * it stands there.
 */
export type RefusedLine = [line: number, reason: LineError, cause?: TimeFault | string];

/** For lines whose times were checked before. The core converts to 64-bit integers, and would trap for infinities. */
export const ANY_TIME: TimeLimits = { oldest: -(2 ** 62), newest: 2 ** 62, isTrusted: true };
const NO_FAULTS: TimeFault[] = [];

/** What became of a text. */
export interface Batch {
  /** Lines of the text, blank ones included. */
  lines: number;
  /** Samples. */
  stored: number;
  /** Samples of metrics that are not configured. */
  skipped: number;
  /** Fields that hold no number. */
  leftOut: number;
  /** Lines. */
  refused: number;
  /** First refused lines. */
  refusals: RefusedLine[];
  /** Hosts whose timestamps are at fault, refused or not: the first few. */
  faults: TimeFault[];
  outOfMemory: boolean;
  /** Lines of other partitions' hosts, which were not stored; offsets may be one past the text at a missing last newline. */
  strays: Run[];
}

export class Writes {
  readonly #instance: Instance;
  readonly #cluster = new NameBytes();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /**
   * Replaces the table by which tags of lines of several fields become levels. @param rules at most MAX_TAG_RULES.
   * @throws StoreError OUT_OF_MEMORY.
   */
  setTags(rules: readonly TagRule[]): void {
    const bytes = encodeTagRules(rules);
    const p = this.#instance.stage(bytes);
    if (!this.#instance.exports.setTags(p, bytes.length, rules.length)) throw outOfMemory();
    // What has been parsed by the old table.
    this.#instance.exports.keysForget();
  }

  /**
   * Stores lines and gathers their log bytes (`logged`). @param text whole lines; copied.
   * @param perSecond units of the timestamps a second; 0: by magnitude. @param now unix seconds, for lines without a time.
   * @param times which timestamps are refused.
   * @param fields 'all': lines may have several fields, and their tags become levels by the table.
   * @throws StoreError OUT_OF_MEMORY.
   */
  ingest(
    text: Uint8Array,
    cluster: string,
    perSecond: number,
    now: number,
    times: TimeLimits = ANY_TIME,
    fields: FieldMode = 'value',
  ): Batch {
    const x = this.#instance.exports;
    const name = this.#cluster.of(cluster);
    const p = this.#instance.stage(text, STAGING_SLACK + name.length);
    const at = p + text.length + STAGING_SLACK;
    this.#instance.bytes.set(name, at);
    // Not all refusals are described, so that the counter has to tell.
    const refusedForMemory = x.linesRefused(LineError.OutOfMemory);
    const { oldest, newest, isTrusted } = times;
    const severalFields = fields === 'all';
    if (!x.ingest(p, text.length, severalFields, at, name.length, perSecond, now, oldest, newest, isTrusted)) {
      throw outOfMemory();
    }
    const faults = this.#timeFaults();
    const of = (field: BatchField): number => this.#instance.u32(x.batch.value + field);
    return {
      lines: of(BatchField.Lines),
      stored: of(BatchField.Stored),
      skipped: of(BatchField.Skipped),
      leftOut: of(BatchField.LeftOut),
      refused: of(BatchField.Refused),
      refusals: this.#refusals(faults),
      faults,
      outOfMemory: x.linesRefused(LineError.OutOfMemory) > refusedForMemory,
      strays: readRuns(this.#instance),
    };
  }

  #refusals(faults: TimeFault[]): RefusedLine[] {
    const { bytes, exports, words } = this.#instance;
    const refusals: RefusedLine[] = [];
    const count = this.#instance.u32(exports.batch.value + BatchField.Described);
    for (let i = 0; i < count; i++) {
      const p = exports.batch.value + BatchField.Refusals + i * RefusalField.Size;
      const fault = faults[words.getInt32(p + RefusalField.Fault, true) - 1];
      const line = words.getInt32(p + RefusalField.Line, true);
      const reason = words.getInt32(p + RefusalField.Reason, true);
      const tag = words.getUint32(p + RefusalField.Tag, true);
      const tagEnd = tag + words.getInt32(p + RefusalField.TagLength, true);
      const cause = tag ? decoder.decode(bytes.subarray(tag, tagEnd)) : fault;
      refusals.push(cause === undefined ? [line, reason] : [line, reason, cause]);
    }
    return refusals;
  }

  #timeFaults(): TimeFault[] {
    const { exports, words, bytes } = this.#instance;
    const count = exports.timeFaultCount();
    if (!count) return NO_FAULTS;
    return Array.from({ length: count }, (_, i) => {
      const p = exports.timeFaults.value + i * TimeFaultField.Size;
      const name = (field: number, length: number): string =>
        decoder.decode(bytes.subarray(p + field, p + field + words.getInt32(p + length, true)));
      return {
        reason: words.getInt32(p + TimeFaultField.Reason, true),
        cluster: name(TimeFaultField.Cluster, TimeFaultField.ClusterLength),
        host: name(TimeFaultField.Host, TimeFaultField.HostLength),
        lines: words.getUint32(p + TimeFaultField.Lines, true),
        seconds: Number(words.getBigInt64(p + TimeFaultField.Seconds, true)),
      };
    });
  }

  /** Whether bins that have a sample keep it, in what is stored from now on. */
  onlyMissing(on: boolean): void {
    this.#instance.exports.storeOnlyMissing(on);
  }

  /** Gives back memory that one large text has taken. */
  releaseStaging(): void {
    this.#instance.releaseStaging();
  }

  /** Log bytes gathered since `logTaken`: whole frames, as a view. */
  logged(): MemoryView {
    const log = this.#instance.exports.log.value;
    const p = this.#instance.u32(log + LoggedField.At);
    return this.#instance.bytes.subarray(p, p + this.#instance.u32(log + LoggedField.Length));
  }

  /** Forgets the gathered log bytes: they are in the file, or will never be. */
  logTaken(): void {
    this.#instance.exports.logTaken();
  }

  /** Series that the current segment names; once more those that were named again after a free. */
  get seriesNamed(): number {
    return this.#instance.u32(this.#instance.exports.log.value + LoggedField.Series);
  }

  /** The log goes on in a new file: names are written again. */
  logStartSegment(): void {
    this.#instance.exports.logStartSegment();
  }

  /**
   * Frees blocks that end before `to`, unix seconds, at and below the node of a selector, and logs it.
   * @returns blocks; 0 as well when there is no such node. @throws StoreError OUT_OF_MEMORY.
   */
  free(selector: string[], to: number): number {
    const { exports } = this.#instance;
    const node = exports.findNode(this.#instance.stage(encodeSelector(selector)), selector.length) >>> 0;
    if (!node) return 0;
    const freed = exports.freeNode(node, to);
    if (freed < 0) throw outOfMemory();
    return freed;
  }

  /** Spares a host in the coming retention pass. */
  keepHost(cluster: string, host: string): void {
    const a = encoder.encode(cluster);
    const b = encoder.encode(host);
    const p = this.#instance.stageTwo(a, b);
    this.#instance.exports.keepHost(p, a.length, p + a.length, b.length);
  }

  /** Frees what ends before `to` in n series from number `from` on. @returns blocks freed, and where to go on (-1: done). */
  retainStep(from: number, n: number, to: number): { freed: number; next: number } {
    const next = this.#instance.exports.retainStep(from, n, to);
    return { freed: this.#instance.exports.retainFreed(), next };
  }

  /** Ends a retention pass: all hosts are as before. */
  retainEnd(): void {
    this.#instance.exports.retainEnd();
  }
}
