/** The codecs as a module of their own, for their tests and measurements. */
import { encodeWith, forcedBound } from '../codec/encode';
import { packLanes, unpackLanes, unpackLanesScalar } from '../codec/pack';
import { PLAN_SIZE, planFrame, planIntegers, planPatchBytes, planPatches, planWidth } from '../codec/plan';
import { gaps, greatest, least, profileBins, profileScalar, runs, sum } from '../codec/profile';
import { FILLED, LANES } from '../codec/scratch';
import { addDelta, addFrame, sinkScalar, writeDelta, writeFrame } from '../codec/sink';

export * from '../codec/block';
export { encodeWith, forcedBound, packLanes, unpackLanes, unpackLanesScalar, addDelta, addFrame, writeDelta, writeFrame, sinkScalar };
export { planFrame, planIntegers, planPatchBytes, planPatches, planWidth };

/** A plan to be filled. */
export const plan: usize = memory.data(PLAN_SIZE, 8);

/** Profiles n bins, and writes to `out`: gaps, sum, least, greatest, runs as f64, and the filled bins. */
export function profile(values: usize, n: i32, scalar: bool, out: usize): void {
  if (scalar) profileScalar(values, n);
  else profileBins(values, n);
  store<f64>(out, <f64>gaps);
  store<f64>(out, sum, 8);
  store<f64>(out, least, 16);
  store<f64>(out, greatest, 24);
  store<f64>(out, <f64>runs, 32);
  memory.copy(out + 40, FILLED, <usize>n << 3);
}

/** Where the sink routines read. */
export function lanes(): usize {
  return LANES;
}

/** First address that tests may use. */
export function heapBase(): usize {
  return __heap_base;
}
