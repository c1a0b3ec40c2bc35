/** Answers questions in steps, so that a worker can store in between. Nothing here changes a sample. */
import { StoreError } from '../base/store-error.js';
import { decodeHosts, type HostPart } from './hosts.js';
import { type Instance, type MemoryView, type Output, outOfMemory } from './instance.js';
import { concat, decodeList, encodeList, encodeName, encodeSelector } from './names.js';
import { AnswerStep, LeafStep, type NodeState, SeriesStep } from './tables/codes.js';
import { EndsField } from './tables/layouts.js';

export class Reads {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /**
   * Starts a query. @param request of request.ts; copied. @returns its handle for `queryStep` and `queryEnd`.
   * @throws StoreError OUT_OF_MEMORY.
   */
  queryBegin(request: Uint8Array): number {
    const state = this.#instance.exports.queryBegin(this.#instance.copy(request)) >>> 0;
    if (!state) throw outOfMemory();
    return state;
  }

  /**
   * The next piece of the answer, about `budget` bytes. @param goOn it follows the output of `queryAllBegin`, which is part of the piece.
   * @throws StoreError OUT_OF_MEMORY.
   */
  queryStep(state: number, budget: number, goOn = false): Output {
    const { exports } = this.#instance;
    if (!goOn) exports.outReset();
    return this.#outputOf(exports.queryStep(state, budget));
  }

  #outputOf(step: AnswerStep): Output {
    if (step === AnswerStep.OutOfMemory) throw outOfMemory();
    return { bytes: this.#instance.output(), done: step === AnswerStep.Done };
  }

  /** Where each list of results ends that the last `queryStep` completed. */
  get queryEnds(): number[] {
    const at = this.#instance.exports.queryEnds.value;
    const count = this.#instance.u32(at + EndsField.Count);
    const ends: number[] = [];
    for (let i = 0; i < count; i++) ends.push(this.#instance.u32(at + EndsField.Ends + 4 * i));
    return ends;
  }

  /** The next piece of columns, about `budget` bytes, for `readColumns`. @param state of `queryBegin`. */
  columnsStep(state: number, budget: number): Output {
    const { exports } = this.#instance;
    exports.outReset();
    return this.#outputOf(exports.columnsStep(state, budget));
  }

  /** Bytes of linear memory that a query holds until `queryEnd`, without its column. */
  queryBytes(state: number): number {
    return this.#instance.exports.queryBytes(state) >>> 0;
  }

  /** Nobody waits for the query's next step: its column may be given back, and computed again then. */
  queryRest(state: number): void {
    this.#instance.exports.queryRest(state);
  }

  /** Ends a query, at any step. */
  queryEnd(state: number): void {
    this.#instance.exports.queryEnd(state);
    this.#instance.exports.outReset();
  }

  /**
   * Starts a query for all hosts of a cluster. @param request of request.ts; copied. @returns its handle, and the queries
   * that it is made of as JSON (no brackets), a view: the first `queryStep` may go on after them.
   * @throws StoreError OUT_OF_MEMORY.
   */
  queryAllBegin(request: Uint8Array): { state: number; text: MemoryView } {
    const { exports } = this.#instance;
    exports.outReset();
    const p = this.#instance.copy(request);
    const state = exports.queryAllBegin(p) >>> 0;
    exports.bufferFree(p);
    if (!state) throw outOfMemory();
    return { state, text: this.#instance.output() };
  }

  /** Starts a dump of the tree below a selector. @returns whether there is such a node. */
  dumpBegin(selector: string[]): boolean {
    const { exports } = this.#instance;
    const node = exports.findNode(this.#instance.stage(encodeSelector(selector)), selector.length) >>> 0;
    if (!node) return false;
    exports.dumpBegin(node);
    return true;
  }

  /** The next piece of the dump, a view. `undefined`: the tree lost nodes meanwhile, start anew. */
  dumpStep(budget: number): Output | undefined {
    const { exports } = this.#instance;
    exports.outReset();
    const result: AnswerStep = exports.dumpStep(budget);
    return result === AnswerStep.TreeChanged ? undefined : this.#outputOf(result);
  }

  /** Begins a leaf of a PromQL expression. @param request of leaf.ts; copied. @returns its handle. @throws StoreError OUT_OF_MEMORY. */
  leafBegin(request: Uint8Array): number {
    const { exports } = this.#instance;
    const leaf = exports.leafBegin(this.#instance.stage(request), request.length) >>> 0;
    if (!leaf) throw outOfMemory();
    return leaf;
  }

  /**
   * The next piece of a leaf, a view, about `budget` bytes; none when the step was over before.
   * @throws StoreError OUT_OF_MEMORY; TOO_LARGE when rows would take more than the request allows; CHANGED when series are gone.
   */
  leafStep(leaf: number, budget: number): Output {
    const { exports } = this.#instance;
    exports.outReset();
    const result = exports.leafStep(leaf, budget);
    if (result === LeafStep.Changed)
      throw new StoreError('CHANGED', 'series went away while they were read; ask again');
    if (result === LeafStep.OutOfMemory) throw outOfMemory();
    if (result === LeafStep.TooLarge) throw new StoreError('TOO_LARGE', 'the rows of the query take too much memory');
    return { bytes: this.#instance.output(), done: result === LeafStep.Done };
  }

  /** Ends a leaf, at any step. */
  leafEnd(leaf: number): void {
    this.#instance.exports.leafEnd(leaf);
    this.#instance.exports.outReset();
  }

  /**
   * Names of the nodes at a depth of the tree that series [from, from + n) by number are of, some of them twice.
   * @returns as well where to go on; -1: at the end.
   */
  levelNamesStep(from: number, n: number, depth: number): { next: number; names: string[] } {
    const { exports } = this.#instance;
    exports.outReset();
    const next = exports.levelNamesStep(from, n, depth);
    if (next === SeriesStep.OutOfMemory) throw outOfMemory();
    return { next, names: decodeList(this.#instance.output()) };
  }

  /** A number that is another one whenever nodes or series have come or gone. */
  get treeChanges(): number {
    return this.#instance.exports.treeChanges();
  }

  /** The hosts of series [from, from + n) by number, perhaps in several parts. @returns as well where to go on; -1: at the end. */
  hostsStep(from: number, n: number): { next: number; hosts: HostPart[] } {
    const { exports } = this.#instance;
    exports.outReset();
    const next = exports.hostsStep(from, n);
    if (next === SeriesStep.OutOfMemory) throw outOfMemory();
    return { next, hosts: decodeHosts(this.#instance.output()) };
  }

  /**
   * The state of each metric of a node at `now`, unix seconds, as far as samples until `until` tell; undefined: no such node.
   */
  nodeHealth(cluster: string, host: string, metrics: string[], now: number, until: number): NodeState[] | undefined {
    const names = concat([encodeName(cluster), encodeName(host), encodeList(metrics)]);
    const p = this.#instance.stage(names, metrics.length);
    const out = p + names.length;
    if (!this.#instance.exports.nodeHealth(p, now, until, out)) return undefined;
    return [...this.#instance.bytes.subarray(out, out + metrics.length)];
  }
}
