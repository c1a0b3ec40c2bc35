/** Cuts a body into one part a partition, and joins what became of the parts. */
import type { Buffers } from './buffers.js';
import type { LineError } from './codes.js';
import { fromFailure } from './failure.js';
import type { Batch, Core, Run } from './instance.js';
import { lineReasons } from './line-reasons.js';
import type { Failure } from './protocol.js';
import { StoreError, type WriteOutcome } from './store.js';

export interface Part {
  partition: number;
  body: ArrayBuffer;
  length: number;
  /** Which lines of the whole body it holds; undefined: all. */
  runs?: Run[];
}

export interface PartWritten {
  batch?: Batch;
  failure?: Failure;
}

/** Refused lines that are described in an answer. */
const MAX_REFUSALS = 8;

/** @param body is part of the result or given back to `buffers`. */
export function splitBody(
  router: Core | undefined,
  body: ArrayBuffer,
  length: number,
  cluster: string,
  partitions: number,
  buffers: Buffers,
): Part[] {
  if (!router || partitions === 1) return [{ partition: 0, body, length }];
  const text = new Uint8Array(body, 0, length);
  const runs = router.route(text, cluster, partitions);
  const [first] = runs;
  if (first && runs.length === 1) return [{ partition: first.partition, body, length }];
  const byPartition = new Map<number, Run[]>();
  for (const run of runs) {
    const list = byPartition.get(run.partition);
    if (list) list.push(run);
    else byPartition.set(run.partition, [run]);
  }
  const parts = [...byPartition].map(([partition, own]): Part => {
    // One byte more a run: the last line of the body may lack its newline.
    const size = own.reduce((n, run) => n + run.length + 1, 0);
    const target = buffers.take(size);
    const bytes = new Uint8Array(target);
    let at = 0;
    for (const run of own) {
      bytes.set(text.subarray(run.offset, run.offset + run.length), at);
      at += run.length;
      if (bytes[at - 1] !== 0x0a) bytes[at++] = 0x0a;
    }
    return { partition, body: target, length: at, runs: own };
  });
  router.releaseStaging();
  buffers.give(body);
  return parts;
}

/** Number of a line of the whole body, given its number (from 1) within a part. */
function lineOf(part: Part, line: number, allRuns: Run[]): number {
  if (!part.runs) return line;
  let left = line;
  for (const run of part.runs) {
    const next = allRuns.find((other) => other.firstLine > run.firstLine);
    const lines = next ? next.firstLine - run.firstLine : Number.MAX_SAFE_INTEGER;
    if (left <= lines) return run.firstLine + left;
    left -= lines;
  }
  throw new Error('BUG: a line behind the last run');
}

/** @throws StoreError when a part was not stored: the whole write counts as failed then, and may be sent again. */
export function joinOutcomes(parts: Part[], written: PartWritten[]): WriteOutcome {
  const outcome: WriteOutcome = { stored: 0, skipped: 0, refused: 0, refusals: [] };
  const refusals: [number, LineError][] = [];
  let allRuns: Run[] | undefined;
  written.forEach(({ batch, failure }, i) => {
    const part = parts[i];
    if (failure || !batch || !part) throw failure ? fromFailure(failure) : new Error('BUG: a write without an outcome');
    if (batch.outOfMemory) {
      throw new StoreError(
        'OUT_OF_MEMORY',
        'a partition has used up its 4 GiB of linear memory; set metric-store.memory-cap',
      );
    }
    outcome.stored += batch.stored;
    outcome.skipped += batch.skipped;
    outcome.refused += batch.refused;
    if (!batch.refusals.length) return;
    allRuns ??= parts.flatMap((p) => p.runs ?? []).sort((a, b) => a.firstLine - b.firstLine);
    for (const [line, reason] of batch.refusals) refusals.push([lineOf(part, line, allRuns), reason]);
  });
  if (refusals.length) {
    refusals.sort((a, b) => a[0] - b[0]);
    outcome.refusals = refusals.slice(0, MAX_REFUSALS).map(([line, reason]) => ({ line, reason: lineReasons[reason] }));
  }
  return outcome;
}
