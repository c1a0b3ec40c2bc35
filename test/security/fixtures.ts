/** What an attacker's tests share: a server with a key, the key's good tokens, and a config with secrets to look for. */
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

/** A small server's config; `main` and `store` are added to it. */
export function config(main: object = {}, store: object = {}): object {
  return {
    main,
    metrics: {
      cpu_load: { frequency: 60, aggregation: 'avg' },
      mem_used: { frequency: 60, aggregation: 'sum' },
    },
    'metric-store': {
      'retention-in-memory': '48h',
      'memory-cap': 1,
      'num-workers': 2,
      checkpoints: { directory: './var/checkpoints' },
      ...store,
    },
  };
}

/** Unix seconds of samples that no retention pass takes away. */
export const TIME = Math.floor(Date.now() / 60_000) * 60 - 3600;
