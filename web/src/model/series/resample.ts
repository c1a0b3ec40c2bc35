/** Many values shown by few pixels: the most or the mean of what each covers, so that a spike never vanishes. */

export type Pixel = 'max' | 'mean';

/** Rows of values over time, NaN where there is none; undefined: a row without any. */
export type Rows = readonly (ArrayLike<number> | undefined)[];

/** Which of `count` things the i-th of `pixels` covers: [first, end). */
export function covered(i: number, pixels: number, count: number): [first: number, end: number] {
  const first = Math.floor((i * count) / pixels);
  return [first, Math.max(first + 1, Math.floor(((i + 1) * count) / pixels))];
}

/** One value a pixel, of some rows together. @param columns of each row. @param into a value a pixel; NaN: there is none. */
export function resampleRows(rows: Rows, columns: number, pixel: Pixel, into: Float64Array): void {
  for (let i = 0; i < into.length; i++) {
    const [first, end] = covered(i, into.length, columns);
    let [most, sum, count] = [Number.NaN, 0, 0];
    for (const row of rows) {
      for (let k = first; k < end; k++) {
        const value = row?.[k] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
        if (!(value <= most)) most = value;
      }
    }
    into[i] = pixel === 'max' ? most : sum / count;
  }
}
