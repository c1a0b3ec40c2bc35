/**
 * Aggregations that choose series of each group, step by step: topk, bottomk, limitk, limit_ratio. In a range query more
 * than k series may come out, each with the steps at which it was chosen.
 */

import { filterInTurns, sortInTurns, type Turns } from '../../base/turns.js';
import type { AggregationOperator } from '../parse/ast.js';
import { sampleOffset } from './hash.js';
import { isPresent, type Row } from './rows.js';

/** Rows of a group and their values at one step. */
interface Candidate {
  readonly row: number;
  readonly value: number;
}

/** Candidates between two looks at the clock: one takes as long as several candidates. A power of two. */
const A_LOOK = 256;

/** NaN is less than everything, so that it is the first to go. */
function below(a: number, b: number): boolean {
  return Number.isNaN(a) || a < b;
}

function above(a: number, b: number): boolean {
  return Number.isNaN(a) || a > b;
}

/** Go's container/heap, operation by operation: among equal values the same ones must be left. */
class Heap {
  readonly items: Candidate[] = [];

  constructor(private readonly less: (a: number, b: number) => boolean) {}

  private lessAt(a: number, b: number): boolean {
    return this.less(this.items[a]?.value ?? 0, this.items[b]?.value ?? 0);
  }

  private swap(a: number, b: number): void {
    const [first, second] = [this.items[a], this.items[b]];
    if (first === undefined || second === undefined) return;
    this.items[a] = second;
    this.items[b] = first;
  }

  push(item: Candidate): void {
    let at = this.items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.lessAt(at, parent)) return;
      this.swap(parent, at);
      at = parent;
    }
  }

  replaceFirst(item: Candidate): void {
    this.items[0] = item;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= this.items.length) return;
      const child = left + 1 < this.items.length && this.lessAt(left + 1, left) ? left + 1 : left;
      if (!this.lessAt(child, at)) return;
      this.swap(at, child);
      at = child;
    }
  }
}

/** The k best of the candidates, best first. @throws what `turns.pause()` does. */
async function bestOf(
  candidates: readonly Candidate[],
  k: number,
  top: boolean,
  turns: Turns,
): Promise<readonly Candidate[]> {
  const heap = new Heap(top ? below : above);
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked % A_LOOK === 0 && turns.due()) await turns.pause();
    const worst = heap.items[0]?.value ?? Number.NaN;
    if (heap.items.length < k) heap.push(candidate);
    else if ((top ? worst < candidate.value : worst > candidate.value) || better(worst, candidate.value)) {
      heap.replaceFirst(candidate);
    }
  }
  const less = top ? below : above;
  const compare = (a: Candidate, b: Candidate): number =>
    less(b.value, a.value) ? (less(a.value, b.value) ? 0 : -1) : less(a.value, b.value) ? 1 : 0;
  return sortInTurns(heap.items, compare, turns);
}

function better(worst: number, value: number): boolean {
  return Number.isNaN(worst) && !Number.isNaN(value);
}

/** Decides for one operator which candidates of a group stay. */
export class Selection {
  private readonly offsets = new Map<number, number>();

  constructor(
    private readonly operator: AggregationOperator,
    private readonly rows: readonly Row[],
    private readonly turns: Turns,
  ) {}

  /**
   * @param parameter k or the ratio at this step. Returns row indices, for topk and bottomk best first.
   * @throws what `turns.pause()` does.
   */
  async choose(members: readonly number[], step: number, parameter: number): Promise<number[]> {
    const candidates: Candidate[] = [];
    let looked = 0;
    for (const row of members) {
      const { values, present } = this.rows[row] ?? {};
      if (values !== undefined && present !== undefined && isPresent(present, step)) {
        candidates.push({ row, value: values[step] ?? 0 });
      }
      if (++looked % A_LOOK === 0 && this.turns.due()) await this.turns.pause();
    }
    return (await this.chosen(candidates, parameter)).map(({ row }) => row);
  }

  private async chosen(candidates: readonly Candidate[], parameter: number): Promise<readonly Candidate[]> {
    if (this.operator === 'limit_ratio') {
      const ratio = Math.max(-1, Math.min(1, parameter));
      return filterInTurns(candidates, ({ row }) => this.inRatio(row, ratio), this.turns);
    }
    const k = Math.trunc(parameter);
    if (k < 1) return [];
    if (this.operator === 'limitk') return candidates.slice(0, k);
    return bestOf(candidates, k, this.operator === 'topk', this.turns);
  }

  private inRatio(row: number, ratio: number): boolean {
    let offset = this.offsets.get(row);
    if (offset === undefined) {
      const labels = this.rows[row]?.labels;
      offset = labels === undefined ? 0 : sampleOffset(labels);
      this.offsets.set(row, offset);
    }
    return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
  }
}
