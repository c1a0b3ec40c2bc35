/** Keys and JSON Web Tokens, good ones and such as only an attacker makes. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface TokenKey {
  /** The raw 32 bytes. */
  raw: Buffer;
  /** As `main.jwt-public-key` has it. */
  base64: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export function tokenKey(): TokenKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return { raw, base64: raw.toString('base64'), publicKey, privateKey };
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Header and payload as a JWT has them, for any signature to follow. */
export function unsigned(header: object, claims: object = {}): string {
  return `${encoded(header)}.${encoded(claims)}`;
}

/** A JWT by hand, so that its header and claims can be anything. */
export function token(key: TokenKey, claims: object = {}, header: object = { alg: 'EdDSA', typ: 'JWT' }): string {
  const text = unsigned(header, claims);
  return `${text}.${sign(null, Buffer.from(text), key.privateKey).toString('base64url')}`;
}

export const bearer = (jwt: string): Record<string, string> => ({ authorization: `Bearer ${jwt}` });
