/** Token and certificate of a server that is to be reached as a fleet reaches it. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { resolve } from 'node:path';
import type { ServerKeys } from './server.js';
import type { Access } from './wire.js';

/** The tests' own: for localhost, signed by itself. */
const CERTIFICATE = resolve('test/http/tls/cert.pem');
const KEY = resolve('test/http/tls/key.pem');

/** A fresh key, and a token that it has signed. */
export function accessTo(tls: boolean): Access & ServerKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { user: 'bench', roles: ['ROLE_API'] };
  const text = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}`;
  return {
    tls,
    token: `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`,
    publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64'),
    certificate: CERTIFICATE,
    key: KEY,
  };
}
