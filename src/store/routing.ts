/** Main thread. Cuts a body into one part a partition, and joins what became of the parts. */

import { Router } from '../wasm/router.js';
import type { Run } from '../wasm/runs.js';
import type { LineError } from '../wasm/tables/codes.js';
import { lineReasons } from '../wasm/tables/line-reasons.js';
import type { RefusedLine, TimeFault } from '../wasm/writes.js';
import type { Buffers } from './buffers.js';
import type { Written } from './client.js';
import { fromFailure } from './failure.js';
import { StoreError, type WriteOutcome } from './store.js';

export interface Part {
  partition: number;
  body: ArrayBuffer;
  length: number;
  /** Which lines of the whole body it holds, in order; undefined: all. */
  runs?: Run[];
}

/** Refused lines that are described in an answer. */
const MAX_REFUSALS = 8;
const NEWLINE = 0x0a;

/** Knows the partition of a host, and of lines. Stores nothing. */
export class HostRouter {
  /** Undefined: there is one partition only. */
  readonly #router: Router | undefined;
  readonly #buffers: Buffers;

  /** @param module of dist/core.wasm. @param buffers where bodies come from and go to. */
  constructor(
    module: WebAssembly.Module,
    readonly partitions: number,
    buffers: Buffers,
  ) {
    this.#router = partitions > 1 ? Router.of(module) : undefined;
    this.#buffers = buffers;
  }

  partitionOf(cluster: string, host: string): number {
    return this.#router?.partitionOf(cluster, host, this.partitions) ?? 0;
  }

  /**
   * Where the body goes. Nearly every body is one host's, so only its first and last line are looked at: if they agree, it
   * goes to their partition as it is, which notes lines of others (`Batch.strays`). Else it is cut.
   * @param body is part of the result or given back.
   */
  split(body: ArrayBuffer, length: number, cluster: string): Part[] {
    const router = this.#router;
    if (!router) return [{ partition: 0, body, length }];
    const text = new Uint8Array(body, 0, length);
    const [first, more] = router.route(firstAndLast(text), cluster, this.partitions);
    if (first && !more) return [{ partition: first.partition, body, length }];
    const parts = this.cut(body, length, router.route(text, cluster, this.partitions));
    router.releaseStaging();
    return parts;
  }

  /** Copies the runs of each partition into a body of its own; the whole one is given back. */
  cut(body: ArrayBuffer, length: number, runs: Run[]): Part[] {
    const text = new Uint8Array(body, 0, length);
    const byPartition = new Map<number, Run[]>();
    for (const run of runs) {
      const list = byPartition.get(run.partition);
      if (list) list.push(run);
      else byPartition.set(run.partition, [run]);
    }
    const parts = [...byPartition].map(([partition, own]) => this.#copy(text, partition, own));
    this.#buffers.give(body);
    return parts;
  }

  #copy(text: Uint8Array, partition: number, runs: Run[]): Part {
    // One byte more a run: the last line of the body may lack its newline.
    const body = this.#buffers.take(runs.reduce((n, run) => n + run.length + 1, 0));
    const bytes = new Uint8Array(body);
    let at = 0;
    for (const run of runs) {
      const lines = text.subarray(run.offset, run.offset + run.length);
      bytes.set(lines, at);
      at += lines.length;
      if (bytes[at - 1] !== NEWLINE) bytes[at++] = NEWLINE;
    }
    return { partition, body, length: at, runs };
  }
}

/** The text's first and last line. */
function firstAndLast(text: Uint8Array): Uint8Array {
  const firstEnd = text.indexOf(NEWLINE) + 1;
  const lastStart = text.lastIndexOf(NEWLINE, text.length - 2) + 1;
  if (firstEnd === 0 || lastStart < firstEnd) return text;
  const both = new Uint8Array(firstEnd + text.length - lastStart);
  both.set(text.subarray(0, firstEnd));
  both.set(text.subarray(lastStart), firstEnd);
  return both;
}

/** Number of a line of the whole body, given its number (from 1) within a part. */
function lineOf(part: Part, line: number): number {
  if (!part.runs) return line;
  let left = line;
  for (const run of part.runs) {
    if (left <= run.lines) return run.firstLine + left;
    left -= run.lines;
  }
  throw new Error('BUG: a line behind the last run');
}

/** @throws StoreError when a part was not stored: the whole write counts as failed then, and may be sent again. */
export function joinOutcomes(parts: Part[], written: Written[]): WriteOutcome {
  const outcome: WriteOutcome = { stored: 0, skipped: 0, refused: 0, refusals: [] };
  const refusals: RefusedLine[] = [];
  written.forEach(({ batch, failure, stored, skipped }, i) => {
    const part = parts[i];
    if (!part) throw new Error('BUG: a write without its part');
    if (failure) throw fromFailure(failure);
    outcome.stored += stored;
    outcome.skipped += skipped;
    if (!batch) return;
    if (batch.outOfMemory) {
      throw new StoreError(
        'OUT_OF_MEMORY',
        'a partition has used up its 4 GiB of linear memory; set metric-store.memory-cap',
      );
    }
    outcome.refused += batch.refused;
    for (const [line, ...why] of batch.refusals) refusals.push([lineOf(part, line), ...why]);
  });
  if (refusals.length) {
    refusals.sort((a, b) => a[0] - b[0]);
    outcome.refusals = refusals.slice(0, MAX_REFUSALS).map(([line, ...why]) => ({ line, reason: reasonText(...why) }));
  }
  return outcome;
}

function reasonText(reason: LineError, cause?: TimeFault | string): string {
  const text = lineReasons[reason];
  if (typeof cause === 'string') return `tag ${JSON.stringify(cause)}: ${text}`;
  return cause ? `${text} (host ${cause.host}, ${cause.seconds})` : text;
}
