/** Times and spans for people. All times are unix seconds. */

export type Zone = 'local' | 'utc';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: Zone, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${zone} ${key}`;
  let known = formats.get(name);
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', { ...options, ...(zone === 'utc' && { timeZone: 'UTC' }) });
    formats.set(name, known);
  }
  return known;
}

const clock = (zone: Zone): Intl.DateTimeFormat =>
  format(zone, 'clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const seconds = (zone: Zone): Intl.DateTimeFormat =>
  format(zone, 'seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = (zone: Zone): Intl.DateTimeFormat => format(zone, 'day', { day: 'numeric', month: 'short' });
const year = (zone: Zone): Intl.DateTimeFormat =>
  format(zone, 'year', { day: 'numeric', month: 'short', year: 'numeric' });

/** `14:05` on the day of `now`, `26 Nov 14:05` before, `26 Nov 2025 14:05` in other years. */
export function formatTime(time: number, zone: Zone, now: number): string {
  const date = new Date(time * 1000);
  const today = new Date(now * 1000);
  const hours = clock(zone).format(date);
  if (year(zone).format(date) === year(zone).format(today)) return hours;
  const sameYear = date.getUTCFullYear() === today.getUTCFullYear();
  return `${(sameYear ? day(zone) : year(zone)).format(date)} ${hours}`;
}

/** Everything, for titles and tables: `26 Nov 2026 14:05:07`, with `UTC` behind it in that zone. */
export function formatFullTime(time: number, zone: Zone): string {
  const date = new Date(time * 1000);
  return `${year(zone).format(date)} ${seconds(zone).format(date)}${zone === 'utc' ? ' UTC' : ''}`;
}

const UNITS: readonly [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** The two largest units that are not zero, the smaller one only where it matters: `3 d 4 h`, `40 min`, `12 s`. */
export function formatSpan(span: number): string {
  let rest = Math.max(0, Math.round(span));
  for (const [index, [size, unit]] of UNITS.entries()) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    rest -= count * size;
    const next = UNITS[index + 1];
    const smaller = next && count < 10 ? Math.floor(rest / next[0]) : 0;
    return smaller > 0 && next ? `${count} ${unit} ${smaller} ${next[1]}` : `${count} ${unit}`;
  }
  return '0 s';
}

/** `12 s ago`, `just now`; the future, by a clock that differs, is `just now` too. */
export function formatAge(span: number): string {
  return span < 2 ? 'just now' : `${formatSpan(span)} ago`;
}

/** A time as `<input type="datetime-local">` has it. */
export function inputTime(time: number, zone: Zone): string {
  const offset = zone === 'utc' ? 0 : new Date(time * 1000).getTimezoneOffset() * 60;
  return new Date((time - offset) * 1000).toISOString().slice(0, 16);
}

/** Unix seconds; NaN: not a time. */
export function parseInputTime(text: string, zone: Zone): number {
  return Date.parse(zone === 'utc' ? `${text}Z` : text) / 1000;
}
