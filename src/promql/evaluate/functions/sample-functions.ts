/** Functions of one sample, and of its time. */

type SampleFunction = (value: number) => number;

const DAY = 86_400;

/** A calendar function: UTC, of unix seconds, in the proleptic Gregorian calendar. NaN of NaN and infinities. */
function calendar(read: (seconds: number) => number): SampleFunction {
  return (value) => (Number.isFinite(value) ? read(Math.trunc(value)) : Number.NaN);
}

/** The remainder that is never negative. */
function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

interface CivilDate {
  year: number;
  /** From 1. */
  month: number;
  day: number;
}

/** The date of a day since 1970, also where JavaScript's dates end (H. Hinnant, chrono-compatible date algorithms). */
function dateOf(seconds: number): CivilDate {
  // Years begin in March here, so that leap days come last; an era has 400 of them.
  const days = Math.floor(seconds / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth({ year, month }: CivilDate): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function dayOfYear({ year, month, day }: CivilDate): number {
  let days = day;
  for (let before = 1; before < month; before++) days += daysInMonth({ year, month: before, day: 1 });
  return days;
}

/** Without argument these mean the time of the step. */
export const calendarFunctions: ReadonlyMap<string, SampleFunction> = new Map<string, SampleFunction>([
  ['days_in_month', calendar((seconds) => daysInMonth(dateOf(seconds)))],
  ['day_of_month', calendar((seconds) => dateOf(seconds).day)],
  ['day_of_week', calendar((seconds) => modulo(Math.floor(seconds / DAY) + 4, 7))],
  ['day_of_year', calendar((seconds) => dayOfYear(dateOf(seconds)))],
  ['hour', calendar((seconds) => Math.floor(modulo(seconds, DAY) / 3600))],
  ['minute', calendar((seconds) => Math.floor(modulo(seconds, 3600) / 60))],
  ['month', calendar((seconds) => dateOf(seconds).month)],
  ['year', calendar((seconds) => dateOf(seconds).year)],
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
