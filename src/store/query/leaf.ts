/** Main thread. A leaf of a PromQL expression asked of the partitions that may have series of it. */

import { Turns } from '../../base/turns.js';
import { decodeLeaf, encodeLeaf, type LeafAnswerPart, type LeafRequest } from '../../wasm/leaf.js';
import { LeafFunction } from '../../wasm/tables/codes.js';
import type { Placement } from '../placement.js';
import { type RowAccount, StoreError } from '../store.js';
import type { PieceStream } from './piece-stream.js';
import { ask } from './scatter.js';

/** How often a leaf is begun again because series went away meanwhile. */
const MOST_TRIES = 10;

/**
 * Series or groups of them, in the order of the partitions; copies.
 * @param signal ends the work in the partitions. @param account has the rows of the answer when this resolves, and else none.
 * @throws StoreError; the signal's reason; what `account.take` throws.
 */
export async function askLeaf(
  placement: Placement,
  request: LeafRequest,
  signal: AbortSignal,
  account: RowAccount,
): Promise<LeafAnswerPart[]> {
  const encoded = encodeLeaf(request);
  const partitions = partitionsOf(placement, request);
  const steps = request.function === LeafFunction.Samples ? 0 : request.count;
  for (let tries = 1; ; tries++) {
    const terms = request.isStrong ? { isStrong: true } : {};
    const questions = partitions.map((partition) => ({ partition, kind: 'leaf' as const, request: encoded, ...terms }));
    try {
      return await readAll(await ask(questions, placement), steps, signal, account);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'CHANGED') || tries === MOST_TRIES) throw error;
    }
  }
}

/** Reads streams to their ends. They are left, whatever happens. */
async function readAll(
  streams: readonly PieceStream[],
  steps: number,
  signal: AbortSignal,
  account: RowAccount,
): Promise<LeafAnswerPart[]> {
  const leave = (): void => {
    for (const stream of streams) stream.leave();
  };
  signal.addEventListener('abort', leave);
  const parts: LeafAnswerPart[] = [];
  const turns = new Turns();
  try {
    signal.throwIfAborted();
    for (const stream of streams) stream.prefetch();
    for (const stream of streams) {
      do {
        // The memory of a piece is used again. One copy of it costs less than one a row, and is no more than a piece before it is counted.
        for (const part of decodeLeaf(stream.current.bytes.slice(), steps)) {
          account.take(part.rows.length, lengthOf(part));
          parts.push(part);
          if (!turns.due()) continue;
          await turns.pause();
          signal.throwIfAborted();
        }
      } while (await stream.next());
    }
    return parts;
  } catch (error) {
    for (const part of parts) account.give(part.rows.length, lengthOf(part));
    // A stream that was left while it was read says so; why is what counts.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
  }
}

/** Numbers in a row. */
function lengthOf({ rows: [first] }: LeafAnswerPart): number {
  return first?.length ?? 0;
}

/** The partitions that the hosts may be in. */
function partitionsOf(placement: Placement, { levels: [clusters, hosts] }: LeafRequest): readonly number[] {
  const { partitions } = placement;
  if (clusters === undefined || hosts === undefined || !('only' in clusters) || !('only' in hosts)) return partitions;
  const wanted = new Set(
    clusters.only.flatMap((cluster) => hosts.only.map((host) => placement.partitionOf(cluster, host))),
  );
  return partitions.filter((partition) => wanted.has(partition));
}
