/** The codecs as a module of their own, for their tests and measurements. */
import { encodeWith, forcedBound } from '../codec/encode';
import { packLanes, unpackLanes, unpackLanesScalar } from '../codec/pack';
import { LANES } from '../codec/scratch';
import { addDelta, addFrame, sinkScalar, writeDelta, writeFrame } from '../codec/sink';

export * from '../codec/block';
export { encodeWith, forcedBound, packLanes, unpackLanes, unpackLanesScalar, addDelta, addFrame, writeDelta, writeFrame, sinkScalar };

/** Where the sink routines read. */
export function lanes(): usize {
  return LANES;
}

/** First address that tests may use. */
export function heapBase(): usize {
  return __heap_base;
}
