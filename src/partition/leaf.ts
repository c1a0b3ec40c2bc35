/** Answers leaves of PromQL expressions, in steps between the worker's other work. */
import type { Reads } from '../wasm/reads.js';
import type { Jobs } from './jobs.js';

/** Bytes of a piece: rows of some series. */
const PIECE_BYTES = 1 << 20;
/** How often a leaf is begun again because series went away meanwhile. */
const MOST_TRIES = 10;

/** An answer in pieces; the buffers are transferred. */
export interface LeafPieces {
  pieces: ArrayBuffer[];
}

/**
 * @param request of wasm/leaf.ts.
 * @throws StoreError OUT_OF_MEMORY, TOO_LARGE.
 */
export async function answerLeaf(reads: Reads, jobs: Jobs, request: Uint8Array): Promise<LeafPieces> {
  for (let tries = 1; ; tries++) {
    const pieces = await tryLeaf(reads, jobs, request);
    if (pieces !== undefined) return { pieces };
    if (tries === MOST_TRIES) throw new Error(`series went away during each of ${tries} tries to read them`);
  }
}

/** Undefined: series have gone away meanwhile. */
async function tryLeaf(reads: Reads, jobs: Jobs, request: Uint8Array): Promise<ArrayBuffer[] | undefined> {
  const pieces: ArrayBuffer[] = [];
  let leaf = 0;
  let changed = false;
  try {
    await jobs.run(() => {
      if (leaf === 0) leaf = reads.leafBegin(request);
      const output = reads.leafStep(leaf, PIECE_BYTES);
      changed = output === undefined;
      if (output === undefined) return false;
      if (output.bytes.length > 0) pieces.push(output.bytes.slice().buffer);
      return !output.done;
    });
  } finally {
    if (leaf !== 0) reads.leafEnd(leaf);
  }
  return changed ? undefined : pieces;
}
