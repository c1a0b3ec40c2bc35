/**
 * Finds whole frames in a file's bytes, log or checkpoint, and says what lies between them: a torn tail is cut at the last
 * whole frame, damage in the middle is skipped to the next frame that checks.
 */
import { FrameSearch } from '../../src/wasm/tables/codes';
import { FoundField, FrameField } from '../../src/wasm/tables/layouts';
import { FRAME_VERSION, Frame } from './frame';

/** Frames are smaller than this; a larger length is damage. */
const FRAME_MAX: u32 = 256 << 20;

@unmanaged
class Found {
  /** Address of the frame. */
  at: usize;
  /** Bytes of its payload. */
  length: u32;
  /** Bytes before it that are no frame. */
  skipped: u32;
  /** Bytes from the start of an unfinished one on that are needed to go on. */
  needed: u32;
}

if (
  offsetof<Found>('at') != FoundField.At ||
  offsetof<Found>('length') != FoundField.Length ||
  offsetof<Found>('skipped') != FoundField.Skipped ||
  offsetof<Found>('needed') != FoundField.Needed
) {
  ERROR('layouts.ts has another layout of what was found');
}

/** What the last `nextFrame` has found. */
export const found = changetype<Found>(memory.data(offsetof<Found>(), 8));

/**
 * Looks for a frame in [p, end).
 * @param rest bytes of the file after `end`.
 * @returns whether one is in `found`, whole or unfinished.
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
            found.at = p;
            found.skipped = <u32>(p - start);
            found.needed = FrameField.Payload + n;
            return FrameSearch.Unfinished;
          }
        } else if (frame.checksum() == frame.crc) {
          found.at = p;
          found.length = n;
          found.skipped = <u32>(p - start);
          return FrameSearch.Found;
        }
      }
    }
    p = findMagic(p + 1, end, magic);
  }
  found.at = p;
  found.skipped = <u32>(p - start);
  found.needed = FrameField.Payload;
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
