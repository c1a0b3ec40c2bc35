/** Quantiles of samples, with interpolation between two of them. */

/** Sorts in place, NaN first: JavaScript's typed arrays have it last. */
export function sortNaNFirst(values: Float64Array): void {
  values.sort();
  let finite = values.length;
  while (finite > 0 && Number.isNaN(values[finite - 1])) finite--;
  if (finite === values.length) return;
  values.copyWithin(values.length - finite, 0, finite);
  values.fill(Number.NaN, 0, values.length - finite);
}

/**
 * The quantile of values, which are sorted in place.
 * @param quantile below 0 and above 1 it is -Inf and +Inf; NaN of none.
 */
export function quantileOf(quantile: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  sortNaNFirst(values);
  const rank = quantile * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return (values[lower] ?? 0) * (1 - weight) + (values[upper] ?? 0) * weight;
}
