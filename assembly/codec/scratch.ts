/**
 * Static scratch memory of the codecs. The core is single-threaded and no codec routine calls back, so one set is
 * enough; nothing in here outlives a call. Arrays of 8-byte items have room for MAX_BINS (512) and 16 more, for writes in
 * whole groups.
 */

/** Encoder: the bins with gaps filled by the value before them (f64). */
export const FILLED: usize = memory.data(4224, 16);
/** Encoder: bit i is set when bin i is missing. */
export const GAP_BITS: usize = memory.data(64, 16);
export const GAP_BITS_SIZE: i32 = 64;
/** Encoder: decimal integers above the reference, divided by their common divisor (i64). */
export const DECIMALS: usize = memory.data(4224, 16);
/** Encoder: differences of DECIMALS (i64). */
export const DECIMAL_DELTAS: usize = memory.data(4224, 16);
/** Encoder: the bins' bits above the reference (i64). */
export const BITS: usize = memory.data(4224, 16);
/** Encoder: differences of BITS (i64). */
export const BIT_DELTAS: usize = memory.data(4224, 16);
/** Encoder: upper parts or dictionary codes of split blocks (i64). */
export const CODES: usize = memory.data(4224, 16);

/** Decoder: unpacked integers; bins i and half + i lie side by side (i64). */
export const LANES: usize = memory.data(4224, 16);
/** Decoder: the same for dictionary codes. */
export const CODE_LANES: usize = memory.data(4224, 16);
/** Decoder: whole bins of blocks that need fix-ups before they are added (f64). */
export const VALUES: usize = memory.data(4224, 16);
