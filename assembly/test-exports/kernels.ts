// What the tests of the arithmetic and hash routines call; not part of the product's module.
export {
  addInto,
  addIntoScalar,
  divide,
  divideScalar,
  scale,
  scaleScalar,
  statCount,
  statMax,
  statMin,
  stats,
  statsScalar,
  statSum,
} from '../read/kernels';
export { fillNaN, fill, fillScalar } from '../memory/fill';
export { crc32c, crc32cScalar } from '../memory/crc32c';
export { lttb, lttbPoints } from '../read/resample';
export { setHashKey, siphash13 } from '../memory/siphash';
