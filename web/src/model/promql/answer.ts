/** What /api/v1/query and /api/v1/query_range answer, as Prometheus has it. */

export type Labels = Record<string, string>;

/** A sample: unix seconds, and the value as Prometheus writes numbers. */
export type Sample = [time: number, value: string];

export type QueryData =
  | { resultType: 'matrix'; result: { metric: Labels; values: Sample[] }[] }
  | { resultType: 'vector'; result: { metric: Labels; value: Sample }[] }
  | { resultType: 'scalar' | 'string'; result: Sample };

/** `1.5`, `NaN`, `+Inf` and `-Inf`, as Prometheus writes numbers. */
export function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
