import { describe, expect, it } from 'vitest';
import { cleanToken, describeToken } from '../../web/src/model/page/token.js';
import { token, tokenKey } from '../support/tokens.js';

const NOW = 1_800_000_000;
const key = tokenKey();

describe('describeToken', () => {
  it('has nothing to say about a good one, the signature is for the server to check', () => {
    expect(describeToken(token(key, { user: 'ä', exp: NOW + 1 }), NOW)).toBeUndefined();
    expect(describeToken(token(key, { user: 'a' }), NOW)).toBeUndefined();
  });

  it.each([
    [token(key, { exp: NOW - 7200 }), /^This token expired 2 h ago, at 15 Jan 2027/],
    [token(key, { nbf: NOW + 60 }), /^This token is valid from 15 Jan 2027/],
    ['abc', /expected three parts/],
    ['a.b.c', /cannot be read/],
    [`${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.x`, /signed with HS256; the server takes EdDSA/],
  ])('says what is visibly wrong: %#', (given, text) => {
    expect(describeToken(given, NOW)).toMatch(text);
  });
});

it('takes tokens as people paste them', () => {
  for (const text of ['a.b.c', ' a.b.c\n', 'Bearer a.b.c', 'Authorization: Bearer a.b\n .c', '"a.b.c"']) {
    expect(cleanToken(text)).toBe('a.b.c');
  }
});
