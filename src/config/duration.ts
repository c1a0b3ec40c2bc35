/** Go durations ("48h", "1h30m", "1.5h", "300ms"), as its `time.ParseDuration` reads them. */

const SECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-9],
  ['us', 1e-6],
  ['µs', 1e-6], // U+00B5
  ['μs', 1e-6], // U+03BC
  ['ms', 1e-3],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]);
/** Go counts nanoseconds in 64 bits. */
const MAX_SECONDS = 2 ** 63 / 1e9;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Seconds, or undefined for anything that Go refuses: an unknown or missing unit, no digits, more than 292 years. */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (body === '') return undefined;
  let seconds = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const part = PART.exec(body);
    if (part === null) return undefined;
    seconds += Number(part[1]) * (SECONDS_PER_UNIT.get(part[2] ?? '') ?? Number.NaN);
    at = PART.lastIndex;
  }
  return seconds <= MAX_SECONDS ? sign * seconds : undefined;
}

/** Seconds in the largest units that fit, at most two of them: "2d", "1h30m", "45s". For people, not for parsing back. */
export function formatSeconds(seconds: number): string {
  const units = [
    ['y', 365 * 86400],
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join('') || '0s';
}
