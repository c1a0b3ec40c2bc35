/** Two answers of Prometheus's API, compared. */

export interface ApiAnswer {
  status: string;
  errorType?: string;
  error?: string;
  data?: { resultType: string; result: unknown };
}

type Sample = [number, string];
interface Series {
  metric: Record<string, string>;
  value?: Sample;
  values?: Sample[];
}

function number(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

/** What servers that compute in another order may differ by, of a value's size. */
const TOLERANCE = 1e-9;

/** Equal to a part of their size, or nearly nothing both: differences of equal sums are rounding and no more. */
export function near(a: string, b: string, tolerance = TOLERANCE): boolean {
  const [left, right] = [number(a), number(b)];
  if (Object.is(left, right) || left === right) return true;
  const difference = Math.abs(left - right);
  return difference <= tolerance * Math.max(Math.abs(left), Math.abs(right)) || difference < tolerance;
}

function keyOf({ metric }: Series): string {
  return JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs; undefined: nothing. @param ordered whether the order of series counts. */
export function difference(
  ours: ApiAnswer,
  theirs: ApiAnswer,
  ordered: boolean,
  tolerance = TOLERANCE,
): string | undefined {
  if (ours.status !== theirs.status || ours.errorType !== theirs.errorType) {
    return `${ours.error ?? ours.status} instead of ${theirs.error ?? theirs.status}`;
  }
  if (ours.data === undefined || theirs.data === undefined) return undefined;
  if (ours.data.resultType !== theirs.data.resultType) return `a ${ours.data.resultType}`;
  if (ours.data.resultType === 'scalar' || ours.data.resultType === 'string') {
    const [left, right] = [ours.data.result as Sample, theirs.data.result as Sample];
    return left[0] === right[0] && near(left[1], right[1], tolerance) ? undefined : `${left} instead of ${right}`;
  }
  return seriesDifference(ours.data.result as Series[], theirs.data.result as Series[], ordered, tolerance);
}

function seriesDifference(ours: Series[], theirs: Series[], ordered: boolean, tolerance: number): string | undefined {
  const byKey = (a: Series, b: Series) => (keyOf(a) < keyOf(b) ? -1 : 1);
  const left = ordered ? ours : [...ours].sort(byKey);
  const right = ordered ? theirs : [...theirs].sort(byKey);
  if (left.length !== right.length) return `${left.length} series instead of ${right.length}`;
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined || keyOf(one) !== keyOf(other)) return `${keyOf(one)} instead of ${other && keyOf(other)}`;
    const samples = one.values ?? (one.value === undefined ? [] : [one.value]);
    const others = other.values ?? (other.value === undefined ? [] : [other.value]);
    if (samples.length !== others.length) return `${keyOf(one)}: ${samples.length} samples instead of ${others.length}`;
    for (const [at, [time, value]] of samples.entries()) {
      const [otherTime, otherValue] = others[at] ?? [Number.NaN, ''];
      if (time !== otherTime || !near(value, otherValue, tolerance)) {
        return `${keyOf(one)}: ${value} at ${time} instead of ${otherValue} at ${otherTime}`;
      }
    }
  }
  return undefined;
}
