/** Parameters of Prometheus's API: from the URL and from a form body, the body's first. */

import { Turns } from '../../../base/turns.js';
import { readBody } from '../../body/body.js';
import { HttpError } from '../../errors.js';
import type { Exchange } from '../../exchange.js';
import type { HttpContext } from '../../route.js';
import { type FormValues, parseForm } from './form.js';

/** Bytes of a form. */
const MAX_FORM = 1 << 20;
const FORM = 'application/x-www-form-urlencoded';

/** Beyond these no sample is, and numbers stay whole: some 285 000 years. */
const FARTHEST = 9e15;

export function invalidParameter(name: string, detail: string): HttpError {
  return new HttpError(400, `invalid parameter "${name}": ${detail}`);
}

async function readForm(exchange: Exchange, context: HttpContext): Promise<FormValues> {
  const { incoming } = exchange;
  if (incoming.method !== 'POST') return new Map();
  const { buffer, length } = await readBody(exchange, MAX_FORM, (bytes) => new ArrayBuffer(bytes), context.budget);
  const type = incoming.headers['content-type'] ?? '';
  if (length === 0) return new Map();
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== FORM) {
    throw new HttpError(415, `Content-Type ${JSON.stringify(type)} is not supported, expected ${FORM}`);
  }
  return parseForm(Buffer.from(buffer, 0, length), new Turns());
}

export class Parameters {
  private constructor(
    private readonly form: FormValues,
    private readonly url: FormValues,
  ) {}

  /** @throws HttpError 400, 413, 415 for a form that cannot be read. */
  static async read(exchange: Exchange, context: HttpContext): Promise<Parameters> {
    const form = await readForm(exchange, context);
    const inUrl = Buffer.from(exchange.incoming.url?.split('?', 2)[1] ?? '');
    return new Parameters(form, await parseForm(inUrl, new Turns()));
  }

  /** The first value of a parameter; empty when there is none. */
  text(name: string): string {
    return this.form.get(name)?.[0] ?? this.url.get(name)?.[0] ?? '';
  }

  all(name: string): string[] {
    return [...(this.form.get(name) ?? []), ...(this.url.get(name) ?? [])];
  }

  /** Unix milliseconds. @throws HttpError 400 */
  time(name: string): number {
    const text = this.text(name);
    const time = parseTime(text);
    if (time === undefined) throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
    return Math.max(-FARTHEST, Math.min(FARTHEST, time));
  }

  timeOr(name: string, fallback: number): number {
    return this.text(name) === '' ? fallback : this.time(name);
  }

  /** Milliseconds. @throws HttpError 400 */
  duration(name: string): number {
    const text = this.text(name);
    const duration = parseSeconds(text);
    if (duration === undefined)
      throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
    return duration;
  }

  durationOr(name: string): number | undefined {
    return this.text(name) === '' ? undefined : this.duration(name);
  }

  /** What `consistency` says. @throws HttpError 400 */
  get isStrong(): boolean {
    const text = this.text('consistency');
    if (text === '' || text === 'session') return false;
    if (text === 'strong') return true;
    throw invalidParameter('consistency', `expected "session" or "strong", got ${JSON.stringify(text)}`);
  }

  /** 0: none. @throws HttpError 400 */
  limit(name = 'limit'): number {
    const text = this.text(name);
    if (text === '') return 0;
    if (!/^[+-]?\d+$/.test(text)) throw invalidParameter(name, `expected a whole number, got ${JSON.stringify(text)}`);
    const limit = Number(text);
    if (limit < 0) throw invalidParameter(name, 'limit must be non-negative');
    return limit;
  }
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
/** What Prometheus's Go client sends for no bound at all: times with years of nine digits. */
const FIRST_TIME = '-292273086-05-16T16:47:06Z';
const LAST_TIME = '+292277025-08-18T07:12:54.999999999Z';
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Unix seconds with a fraction, or RFC 3339 with any offset, as milliseconds. */
function parseTime(text: string): number | undefined {
  if (NUMBER.test(text)) {
    const seconds = Number(text);
    const whole = Math.trunc(seconds);
    return whole * 1000 + Math.round((seconds - whole) * 1000);
  }
  if (text === FIRST_TIME) return -FARTHEST;
  if (text === LAST_TIME) return FARTHEST;
  const found = RFC_3339.exec(text);
  if (found === null) return undefined;
  const [, day, clock, fraction = '', offset = 'Z'] = found;
  // JavaScript takes the 30th of February for the 1st of March, and 24:00 for the next day.
  const local = Date.parse(`${day}T${clock}Z`);
  const time = Date.parse(`${day}T${clock}${offset.toUpperCase()}`);
  if (Number.isNaN(time) || new Date(local).toISOString() !== `${day}T${clock}.000Z`) return undefined;
  return time + Math.floor(Number(`0${fraction}`) * 1000 + 1e-9);
}

const UNITS = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNIT_MS = [365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1];
const MAX_DURATION = 2 ** 63 / 1e6;

/** Seconds as a number, or a duration in units, as milliseconds. */
function parseSeconds(text: string): number | undefined {
  if (text === '') return undefined;
  let milliseconds = 0;
  if (NUMBER.test(text)) {
    milliseconds = Math.trunc(Number(text) * 1e9) / 1e6;
  } else {
    const found = UNITS.exec(text);
    if (found === null) return undefined;
    UNIT_MS.forEach((size, unit) => {
      milliseconds += Number(found[unit + 1] ?? 0) * size;
    });
  }
  return Math.abs(milliseconds) > MAX_DURATION ? undefined : Math.trunc(milliseconds);
}
