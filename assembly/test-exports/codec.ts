/** The codecs as a module of their own, for their tests and measurements. */
import { addBlock, blockIsSound, decodeBlock } from '../codec/block';
import { blockBound, encodeBlock, encodeWith, forcedBound } from '../codec/encode';
import { Block } from '../codec/layout';
import { packLanes, unpackLanes, unpackLanesScalar } from '../codec/pack';
import { Plan, planIntegers } from '../codec/plan';
import { profile as profiled, profileBins, profileScalar } from '../codec/profile';
import { FILLED, LANES } from '../codec/scratch';
import { addDelta, addFrame, sinkScalar, writeDelta, writeFrame } from '../codec/sink';

export { addBlock, blockBound, blockIsSound, decodeBlock, encodeBlock, encodeWith, forcedBound, planIntegers };
export { packLanes, unpackLanes, unpackLanesScalar, addDelta, addFrame, writeDelta, writeFrame, sinkScalar };

export function blockSize(block: Block): i32 {
  return block.size;
}
export function blockCodec(block: Block): i32 {
  return block.codec;
}
export function blockCount(block: Block): i32 {
  return block.count;
}
export function blockGaps(block: Block): i32 {
  return block.gaps;
}
export function blockSum(block: Block): f64 {
  return block.sum;
}
export function blockMin(block: Block): f64 {
  return block.least;
}
export function blockMax(block: Block): f64 {
  return block.greatest;
}

/** A plan to be filled. */
export const plan = changetype<Plan>(memory.data(offsetof<Plan>(), 8));

export function planWidth(p: Plan): i32 {
  return p.width;
}
export function planFrame(p: Plan): i64 {
  return p.frame;
}
export function planPatches(p: Plan): i32 {
  return p.patches;
}
export function planPatchBytes(p: Plan): i32 {
  return p.patchBytes;
}

/** Profiles n bins, and writes to `out`: gaps, sum, least, greatest, runs as f64, and the filled bins. */
export function profile(values: usize, n: i32, scalar: bool, out: usize): void {
  if (scalar) profileScalar(values, n);
  else profileBins(values, n);
  store<f64>(out, <f64>profiled.gaps);
  store<f64>(out, profiled.sum, 8);
  store<f64>(out, profiled.least, 16);
  store<f64>(out, profiled.greatest, 24);
  store<f64>(out, <f64>profiled.runs, 32);
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
