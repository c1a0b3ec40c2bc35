/** Main thread. A leaf of a PromQL expression asked of the partitions that may have series of it. */
import { LeafFunction } from '../../wasm/codes.js';
import { decodeLeaf, encodeLeaf, type LeafAnswerPart, type LeafRequest } from '../../wasm/leaf.js';
import type { Placement } from '../placement.js';

/** Series or groups of them, in the order of the partitions. @throws StoreError */
export async function askLeaf(placement: Placement, request: LeafRequest): Promise<LeafAnswerPart[]> {
  const encoded = encodeLeaf(request);
  const answers = await Promise.all(
    partitionsOf(placement, request).map((one) => placement.clientOf(one).call(one, 'leaf', { request: encoded })),
  );
  const steps = request.function === LeafFunction.Samples ? 0 : request.count;
  return answers.flatMap(({ pieces }) => pieces.flatMap((piece) => decodeLeaf(new Uint8Array(piece), steps)));
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
