// What the tests of the arithmetic and hash routines call; not part of the product's module.
export {
  addInto,
  addIntoScalar,
  divide,
  divideScalar,
  fillNaN,
  fillNaNScalar,
  scale,
  scaleScalar,
  statCount,
  statMax,
  statMin,
  stats,
  statsScalar,
  statSum,
} from '../kernels';
export { crc32c, crc32cScalar } from '../crc32c';
export { lttb, lttbPoints } from '../resample';
export { setHashKey, siphash13 } from '../siphash';
