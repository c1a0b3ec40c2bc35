/**
 * Finds whole frames in a file's bytes, log or checkpoint, and says what lies between them: a torn tail is cut at the last
 * whole frame, damage in the middle is skipped to the next frame that checks.
 */
import { FrameSearch } from '../../src/wasm/codes';
import { FrameField } from '../../src/wasm/layouts';
import { FRAME_VERSION, Frame } from './frame';

/** Frames are smaller than this; a larger length is damage. */
const FRAME_MAX: u32 = 256 << 20;

/** Address of the frame that the last `nextFrame` found; its payload follows the header. */
export let frameAt: usize = 0;
/** Payload bytes of that frame. */
export let frameLength: u32 = 0;
/** Bytes that the last `nextFrame` skipped before it. */
export let frameSkipped: u32 = 0;
/** Bytes that are needed from the start of an unfinished frame on, when the last `nextFrame` found an unfinished one. */
export let frameNeeded: u32 = 0;

/**
 * Looks for a frame in [p, end).
 * @param rest bytes of the file after `end`.
 * @returns whether one is at `frameAt`, whole or unfinished.
 */
export function nextFrame(p: usize, end: usize, magic: u32, rest: f64): FrameSearch {
  const start = p;
  while (p + FrameField.Payload <= end) {
    const frame = changetype<Frame>(p);
    if (frame.magic == magic) {
      const n = frame.length;
      if (n && n < FRAME_MAX && frame.version == FRAME_VERSION) {
        if (<u64>frame.payload + n > <u64>end) {
          // Unfinished, or, when the file has not so many bytes, damage that looks like it: later frames decide.
          if (<f64>n - <f64>(end - frame.payload) <= rest) {
            frameAt = p;
            frameSkipped = <u32>(p - start);
            frameNeeded = FrameField.Payload + n;
            return FrameSearch.Unfinished;
          }
        } else if (frame.checksum() == frame.crc) {
          frameAt = p;
          frameLength = n;
          frameSkipped = <u32>(p - start);
          return FrameSearch.Found;
        }
      }
    }
    p = findMagic(p + 1, end, magic);
  }
  frameAt = p;
  frameSkipped = <u32>(p - start);
  frameNeeded = FrameField.Payload;
  return rest > 0 ? FrameSearch.Unfinished : FrameSearch.None;
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
