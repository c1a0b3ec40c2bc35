/** Leaves of PromQL expressions, asked of a core as a worker asks them. */
import type { Core } from '../../src/wasm/core.js';
import { decodeLeaf, encodeLeaf, type LeafAnswerPart, type LeafRequest } from '../../src/wasm/leaf.js';
import { LeafAggregation, LeafFunction } from '../../src/wasm/tables/codes.js';

/** A request for series of a metric at any level, of any time. @param more what is not as usual. */
export function leafRequest(metric: string, more: Partial<LeafRequest> = {}): LeafRequest {
  return {
    start: 0,
    step: 1,
    count: 0,
    shift: 0,
    fixed: undefined,
    range: Number.MAX_SAFE_INTEGER,
    lookback: 0,
    adaptiveLookback: false,
    function: LeafFunction.Series,
    parameter: 0,
    aggregation: LeafAggregation.None,
    grouping: 0,
    room: 1e9,
    metrics: [metric],
    levels: [],
    depths: 0b11100,
    ...more,
  };
}

/** The whole answer. @param budget bytes of a piece. */
export function readLeaf(core: Core, request: LeafRequest, budget = 1 << 22): LeafAnswerPart[] {
  const leaf = core.reads.leafBegin(encodeLeaf(request));
  const pieces: Uint8Array[] = [];
  for (let done = false; !done; ) {
    const output = core.reads.leafStep(leaf, budget);
    pieces.push(output.bytes.slice());
    done = output.done;
  }
  core.reads.leafEnd(leaf);
  const all = new Uint8Array(Buffer.concat(pieces));
  return [...decodeLeaf(all, request.function === LeafFunction.Samples ? 0 : request.count)];
}
