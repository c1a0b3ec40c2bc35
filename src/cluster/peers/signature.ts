/**
 * Requests between stores are signed with the secret that they share:
 *
 *   Authorization: Ccms <unix seconds>:<hex HMAC-SHA256 of "method path seconds sha256(body)">
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from '../../base/log.js';

const LEAST_BYTES = 32;
/** How far the clocks of two stores may differ, seconds. */
const TOLERANCE = 60;
/** Readable by others than owner and group. */
const OPEN_MODE = 0o137;
const HEADER = /^Ccms (\d{1,12}):([0-9a-f]{64})$/;

export class Secret {
  /** The first one signs, all are accepted. None: nothing is signed. */
  #keys: readonly string[];
  readonly #path: string | undefined;

  /** @param path undefined: nothing is signed. @throws Error when the file can't be used. */
  constructor(path: string | undefined, log: Logger) {
    this.#path = path;
    this.#keys = path === undefined ? [] : readKeys(path, log);
  }

  /** Reads the file again. @throws Error when it can't be used; the old secret stays. */
  reload(log: Logger): void {
    if (this.#path !== undefined) this.#keys = readKeys(this.#path, log);
  }

  /** The header of a request; undefined: none is needed. */
  sign(method: string, path: string, body: Uint8Array, now = Date.now()): string | undefined {
    const [key] = this.#keys;
    if (key === undefined) return undefined;
    const seconds = Math.floor(now / 1000);
    return `Ccms ${seconds}:${mac(key, method, path, seconds, body)}`;
  }

  /** Why a request is refused; undefined: it is not. */
  problem(
    method: string,
    path: string,
    header: string | undefined,
    body: Uint8Array,
    now = Date.now(),
  ): string | undefined {
    if (!this.#keys.length) return undefined;
    const match = HEADER.exec(header ?? '');
    if (!match) return 'the header Authorization: Ccms <time>:<signature> is required';
    const seconds = Number(match[1]);
    if (Math.abs(now / 1000 - seconds) > TOLERANCE)
      return "the signature is of another time: compare the stores' clocks";
    const given = Buffer.from(match[2] ?? '', 'hex');
    const known = this.#keys.some((key) =>
      timingSafeEqual(given, Buffer.from(mac(key, method, path, seconds, body), 'hex')),
    );
    return known ? undefined : 'the signature is wrong: compare the files that cluster.secret-file names';
  }
}

function mac(key: string, method: string, path: string, seconds: number, body: Uint8Array): string {
  const digest = createHash('sha256').update(body).digest('hex');
  return createHmac('sha256', key).update(`${method} ${path} ${seconds} ${digest}`).digest('hex');
}

function readKeys(path: string, log: Logger): string[] {
  const keys = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (!keys.length || keys.some((key) => Buffer.byteLength(key) < LEAST_BYTES)) {
    throw new Error(`${path}: expected a line of at least ${LEAST_BYTES} bytes (cluster.secret-file)`);
  }
  if (statSync(path).mode & OPEN_MODE) log.warn(`${path}: expected mode 0640 or stricter, for it is a secret`);
  return keys;
}
