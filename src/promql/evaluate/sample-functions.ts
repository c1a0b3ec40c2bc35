/** Functions of one sample, and of its time. */

type SampleFunction = (value: number) => number;

/** A calendar function: UTC, of unix seconds. NaN for times beyond what a date can be. */
function calendar(read: (date: Date) => number): SampleFunction {
  return (seconds) => read(new Date(Math.trunc(seconds) * 1000));
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

/** Without argument these mean the time of the step. */
export const calendarFunctions: ReadonlyMap<string, SampleFunction> = new Map<string, SampleFunction>([
  ['days_in_month', calendar(daysInMonth)],
  ['day_of_month', calendar((date) => date.getUTCDate())],
  ['day_of_week', calendar((date) => date.getUTCDay())],
  ['day_of_year', calendar(dayOfYear)],
  ['hour', calendar((date) => date.getUTCHours())],
  ['minute', calendar((date) => date.getUTCMinutes())],
  ['month', calendar((date) => date.getUTCMonth() + 1)],
  ['year', calendar((date) => date.getUTCFullYear())],
]);

export const sampleFunctions: ReadonlyMap<string, SampleFunction> = new Map<string, SampleFunction>([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['exp', Math.exp],
  ['ln', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['sqrt', Math.sqrt],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
  ['sin', Math.sin],
  ['cos', Math.cos],
  ['tan', Math.tan],
  ['asin', Math.asin],
  ['acos', Math.acos],
  ['atan', Math.atan],
  ['sinh', Math.sinh],
  ['cosh', Math.cosh],
  ['tanh', Math.tanh],
  ['asinh', Math.asinh],
  ['acosh', Math.acosh],
  ['atanh', Math.atanh],
  ['deg', (value) => (value * 180) / Math.PI],
  ['rad', (value) => (value * Math.PI) / 180],
  ...calendarFunctions,
]);

/** With scalar arguments at each step. Undefined: there is no sample then. */
export type ParametrisedFunction = (value: number, parameters: readonly number[]) => number | undefined;

/** Go's math.Min: NaN where one side is, but minus infinity beats it. */
function lesser(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  return Math.min(a, b);
}

/** Go's math.Max: NaN where one side is, but infinity beats it. */
function greater(a: number, b: number): number {
  return -lesser(-a, -b);
}

function clamped(value: number, least: number, most: number): number | undefined {
  return most < least ? undefined : greater(least, lesser(most, value));
}

export const parametrisedFunctions: ReadonlyMap<string, ParametrisedFunction> = new Map<string, ParametrisedFunction>([
  ['clamp', (value, [least = 0, most = 0]) => clamped(value, least, most)],
  ['clamp_min', (value, [least = 0]) => clamped(value, least, Number.POSITIVE_INFINITY)],
  ['clamp_max', (value, [most = 0]) => clamped(value, Number.NEGATIVE_INFINITY, most)],
  [
    'round',
    (value, [to = 1]) => {
      // Multiplying by the inverse loses less than dividing.
      const inverse = 1 / to;
      return Math.floor(value * inverse + 0.5) / inverse;
    },
  ],
]);
