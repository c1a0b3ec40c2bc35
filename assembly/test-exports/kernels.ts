// What the tests of the arithmetic and hash routines call; not part of the product's module.
import { Statistics } from '../read/statistics';

export { addInto, addIntoScalar, fill, fillNaN, fillScalar } from '../memory/doubles';
export { addCompensated, addCompensatedScalar } from '../read/compensated';
export { divide, divideScalar, scale, scaleScalar, stats, statsScalar } from '../read/kernels';
export { crc32c, crc32cScalar } from '../memory/crc32c';
export { lttb, lttbPoints } from '../read/resample';
export { setHashKey, siphash13 } from '../memory/siphash';

/** Statistics to be filled. */
export const result = changetype<Statistics>(memory.data(offsetof<Statistics>(), 8));

export function samplesOf(s: Statistics): i32 {
  return s.samples;
}
export function sumOf(s: Statistics): f64 {
  return s.sum;
}
export function leastOf(s: Statistics): f64 {
  return s.least;
}
export function greatestOf(s: Statistics): f64 {
  return s.greatest;
}
