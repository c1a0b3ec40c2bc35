/**
 * Finds whole frames in a file's bytes, log or checkpoint, and says what lies between them: a torn tail is cut at the last
 * whole frame, damage in the middle is skipped to the next frame that checks.
 */
import { crc32c } from '../memory/crc32c';
import { FRAME_HEADER, FRAME_VERSION } from './log';

/** Frames are smaller than this; a larger length is damage. */
const FRAME_MAX: u32 = 256 << 20;

/** Address of the frame that the last `nextFrame` found; its payload follows the header. */
export let frameAt: usize = 0;
/** Payload bytes of that frame. */
export let frameLength: u32 = 0;
/** Bytes that the last `nextFrame` skipped before it. */
export let frameSkipped: u32 = 0;
/** Bytes that are needed from the start of an unfinished frame on, when the last `nextFrame` returned 2. */
export let frameNeeded: u32 = 0;

/**
 * Looks for a frame in [p, end).
 * @param rest bytes of the file behind `end`.
 * @returns 1: found, 2: an unfinished frame starts at `frameAt`, give it with more bytes; 0: no frame starts here.
 */
export function nextFrame(p: usize, end: usize, magic: u32, rest: f64): i32 {
  const start = p;
  while (p + FRAME_HEADER <= end) {
    if (load<u32>(p) == magic) {
      const n = load<u32>(p, 4);
      if (n && n < FRAME_MAX && load<u32>(p, 12) == FRAME_VERSION) {
        if (<u64>p + FRAME_HEADER + n > <u64>end) {
          // Unfinished, or, when the file has not so many bytes, damage that looks like it: later frames decide.
          if (<f64>n - <f64>(end - p - FRAME_HEADER) <= rest) {
            frameAt = p;
            frameSkipped = <u32>(p - start);
            frameNeeded = <u32>FRAME_HEADER + n;
            return 2;
          }
        } else if (crc32c(0, p + 12, <i32>n + 4) == load<u32>(p, 8)) {
          frameAt = p;
          frameLength = n;
          frameSkipped = <u32>(p - start);
          return 1;
        }
      }
    }
    p = findMagic(p + 1, end, magic);
  }
  frameAt = p;
  frameSkipped = <u32>(p - start);
  frameNeeded = <u32>FRAME_HEADER;
  return rest > 0 ? 2 : 0;
}

/** The next place where the magic may stand. */
function findMagic(p: usize, end: usize, magic: u32): usize {
  const first = i8x16.splat(<i8>magic);
  while (p + 19 < end) {
    let hits = i8x16.bitmask(i8x16.eq(v128.load(p), first));
    while (hits) {
      const q = p + ctz(hits);
      if (load<u32>(q) == magic) return q;
      hits &= hits - 1;
    }
    p += 16;
  }
  while (p + 4 <= end && load<u32>(p) != magic) p++;
  return p;
}
