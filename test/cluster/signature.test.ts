import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logger } from '../../src/base/log.js';
import { Secret } from '../../src/cluster/peers/signature.js';
import { temporaryDirectory } from '../support/directories.js';

const BODY = new TextEncoder().encode('question');
const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const log = logger('test');

function secret(text: string): Secret {
  const path = join(temporaryDirectory(), 'secret');
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return new Secret(path, log);
}

describe('a request between stores', () => {
  it('passes with the secret, and with an older one while it is changed', () => {
    const header = secret(`${A}\n`).sign('POST', '/cluster/v1/query', BODY);
    for (const text of [A, `${A}\n`, `${B}\n${A}\n`]) {
      expect(secret(text).problem('POST', '/cluster/v1/query', header, BODY)).toBeUndefined();
    }
  });

  it('is refused without a signature, with another secret, path, method, body or time', () => {
    const own = secret(A);
    const header = own.sign('POST', '/q', BODY, 1e12);
    const problem = (method: string, path: string, given: string | undefined, body: Uint8Array, now: number) =>
      own.problem(method, path, given, body, now);
    expect(problem('POST', '/q', header, BODY, 1e12 + 59_000)).toBeUndefined();
    expect(problem('POST', '/q', header, BODY, 1e12 + 62_000)).toMatch(/another time/);
    expect(problem('POST', '/q', header, BODY, 1e12 - 62_000)).toMatch(/another time/);
    expect(problem('GET', '/q', header, BODY, 1e12)).toMatch(/signature is wrong/);
    expect(problem('POST', '/p', header, BODY, 1e12)).toMatch(/signature is wrong/);
    expect(problem('POST', '/q', header, BODY.subarray(1), 1e12)).toMatch(/signature is wrong/);
    expect(problem('POST', '/q', undefined, BODY, 1e12)).toMatch(/is required/);
    expect(problem('POST', '/q', `Bearer ${A}`, BODY, 1e12)).toMatch(/is required/);
    expect(secret(B).problem('POST', '/q', header, BODY, 1e12)).toMatch(/signature is wrong/);
  });

  it('needs a secret of 32 bytes, which stays in use when the file can not be read again', () => {
    expect(() => secret('short\n')).toThrow(/expected a line of at least 32 bytes \(cluster\.secret-file\)/);
    expect(() => secret('')).toThrow(/expected a line/);
  });
});
