/**
 * The gap section of a block: which bins are missing, as runs or as a bitmap, whichever is shorter.
 *
 * ```
 *  runs:    │ u16 runs (>= 1) │ u16 start, u16 length │ ...      ascending, apart
 *  bitmap:  │ u16 0           │ ceil(bins / 8) bytes, bit i of byte i / 8 = bin i is missing │
 * ```
 */
import { GAP_BITS } from './scratch';

const RUN_SIZE: i32 = 4;

function isGap(i: i32): bool {
  return ((<i32>load<u8>(GAP_BITS + (i >> 3)) >> (i & 7)) & 1) != 0;
}

function gapRuns(count: i32): i32 {
  let runs = 0;
  let before = false;
  for (let i = 0; i < count; i++) {
    const gap = isGap(i);
    if (gap && !before) runs++;
    before = gap;
  }
  return runs;
}

/** Bytes of the section that `writeGaps` would write for GAP_BITS. */
export function gapsSize(count: i32): i32 {
  return 2 + min(gapRuns(count) * RUN_SIZE, (count + 7) >> 3);
}

/** Writes the section for GAP_BITS; returns its end. */
export function writeGaps(count: i32, out: usize): usize {
  const runs = gapRuns(count);
  const bitmap = (count + 7) >> 3;
  if (bitmap <= runs * RUN_SIZE) {
    store<u16>(out, 0);
    memory.copy(out + 2, GAP_BITS, bitmap);
    return out + 2 + bitmap;
  }
  store<u16>(out, runs);
  out += 2;
  for (let i = 0; i < count; ) {
    if (!isGap(i)) {
      i++;
      continue;
    }
    const start = i;
    while (i < count && isGap(i)) i++;
    store<u16>(out, start);
    store<u16>(out, i - start, 2);
    out += RUN_SIZE;
  }
  return out;
}

/** End of the section at `section`. */
export function gapsEnd(section: usize, count: i32): usize {
  const runs = <i32>load<u16>(section);
  return section + 2 + (runs == 0 ? (count + 7) >> 3 : runs * RUN_SIZE);
}

/** Overwrites the missing bins of `dst` with NaN. */
export function punchGaps(section: usize, count: i32, dst: usize): void {
  const runs = <i32>load<u16>(section);
  section += 2;
  if (runs == 0) {
    for (let i = 0; i < count; i++) {
      if ((<i32>load<u8>(section + (i >> 3)) >> (i & 7)) & 1) store<f64>(dst + (i << 3), NaN);
    }
    return;
  }
  for (let r = 0; r < runs; r++, section += RUN_SIZE) {
    let at = dst + (<usize>load<u16>(section) << 3);
    const end = at + (<usize>load<u16>(section, 2) << 3);
    for (; at < end; at += 8) store<f64>(at, NaN);
  }
}

/**
 * Checks a section that came from disk.
 * @returns its end, or 0 if it reaches beyond `end`, names bins that do not exist or does not hold `gaps` bins.
 */
export function checkGaps(section: usize, end: usize, count: i32, gaps: i32): usize {
  if (section + 2 > end) return 0;
  const runs = <i32>load<u16>(section);
  if (runs > count) return 0;
  const sectionEnd = gapsEnd(section, count);
  if (sectionEnd > end) return 0;
  section += 2;
  let found = 0;
  if (runs == 0) {
    for (let i = 0; i < (count + 7) >> 3; i++) found += popcnt<i32>(<i32>load<u8>(section + i));
    if (count & 7 && <i32>load<u8>(sectionEnd - 1) >> (count & 7)) return 0;
  } else {
    let next = 0;
    for (let r = 0; r < runs; r++, section += RUN_SIZE) {
      const start = <i32>load<u16>(section);
      const length = <i32>load<u16>(section, 2);
      if (start < next || length == 0 || start + length > count) return 0;
      next = start + length;
      found += length;
    }
  }
  return found == gaps ? sectionEnd : 0;
}
