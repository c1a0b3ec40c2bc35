/**
 * Lists of bins with something to say about each: ascending bins as u8 skips from the bin before (the first from bin 0),
 * then the items. A skip above 255 is bridged by fillers, entries for bins that are nothing special.
 */

/** Greatest skip of one entry. */
export const MAX_SKIP: i32 = 255;

/** Fillers needed between two listed bins (`before` is 0 for the first). */
export function fillersBetween(before: i32, bin: i32): i32 {
  return max(0, bin - before - 1) / MAX_SKIP;
}

/** Checks that the `entries` skips at `skips` stay below bin `count`. */
export function checkSkips(skips: usize, entries: i32, count: i32): bool {
  let bin = 0;
  for (let e = 0; e < entries; e++) bin += load<u8>(skips + e);
  return bin < count;
}
