/**
 * How long tests wait before they give up. No test judges by time: these are for what never happens, and are generous
 * enough for a machine a fifth as fast with four others at work.
 */

/** Milliseconds in which one thing that a test waits for has to happen. */
export const LIMIT = 120_000;

/** Milliseconds that a whole test may take, and what a file does before and after its tests. */
export const TEST_LIMIT = process.env.CCMS_LONG === '1' ? 3_600_000 : 600_000;
