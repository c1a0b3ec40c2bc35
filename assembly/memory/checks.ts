/** Asserts hang on this: on in the debug target (not optimised), gone from the release module. */
export const CHECKS: bool = ASC_OPTIMIZE_LEVEL == 0;
