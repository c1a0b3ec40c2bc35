/**
 * Forms as clients send them (application/x-www-form-urlencoded, https://url.spec.whatwg.org/#urlencoded-parsing), read in turns: one of a
 * megabyte has 100 000 parameters. An escape that is none is refused, as Prometheus does; `URLSearchParams` would take it as it is.
 */

import type { Turns } from '../../../base/turns.js';
import { HttpError } from '../../errors.js';

/** Values by name, each name's in the order of the form. */
export type FormValues = ReadonlyMap<string, readonly string[]>;

const PLUS = 0x2b;
const SPACE = 0x20;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** Of an ASCII digit; -1: it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function badEscape(form: Buffer, at: number): HttpError {
  const [text = ''] = /^%.{0,2}/.exec(form.toString('utf8', at, at + 16)) ?? [];
  return new HttpError(400, `error parsing form values: invalid URL escape ${JSON.stringify(text)}`);
}

/** @param form is written over. @throws HttpError 400 at an escape that is none. */
export async function parseForm(form: Buffer, turns: Turns): Promise<FormValues> {
  const values = new Map<string, string[]>();
  const length = form.length;
  for (let at = 0; at < length; ) {
    const start = at;
    // Decoded bytes take the place of the others, and are never more.
    let end = at;
    let name: string | undefined;
    for (; at < length && form[at] !== AMPERSAND; at++) {
      const byte = form[at] ?? 0;
      if (byte === EQUALS && name === undefined) {
        name = form.toString('utf8', start, end);
        end = start;
      } else if (byte === PERCENT) {
        const high = hexDigit(form[at + 1] ?? 0);
        const low = hexDigit(form[at + 2] ?? 0);
        if (high < 0 || low < 0) throw badEscape(form, at);
        form[end++] = 16 * high + low;
        at += 2;
      } else {
        form[end++] = byte === PLUS ? SPACE : byte;
      }
    }
    const text = form.toString('utf8', start, end);
    const isEmpty = at === start;
    at++;
    if (isEmpty) continue;
    const known = values.get(name ?? text);
    const value = name === undefined ? '' : text;
    if (known === undefined) values.set(name ?? text, [value]);
    else known.push(value);
    if (turns.due()) await turns.pause();
  }
  return values;
}
