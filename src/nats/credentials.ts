import { readFile } from 'node:fs/promises';
import { type Authenticator, credsAuthenticator, nkeyAuthenticator, usernamePasswordAuthenticator } from 'nats';
import type { NatsConfig } from '../config/config.js';

/** One NATS server of the config's address list. */
export interface NatsAddress {
  host: string;
  port: number;
  /** `tls://`: never talk to it in the clear. (A server that offers TLS is talked to over TLS in any case.) */
  tls: boolean;
  /** From `nats://user:password@host`; they win over the config's. */
  username?: string;
  password?: string;
}

const DEFAULT_PORT = 4222;

/**
 * Splits an address as nats.go takes it: one or several of `[nats://|tls://][user:password@]host[:port]`, by commas.
 * Throws an Error that names the part which cannot be read, without its credentials.
 */
export function parseAddresses(address: string): NatsAddress[] {
  const parts = address
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw new Error('nats.address is empty, expected "nats://host:4222"');
  return parts.map(parseAddress);
}

function parseAddress(part: string): NatsAddress {
  const shown = part.replace(/\/\/.*@/, '//');
  const text = part.includes('://') ? part : `nats://${part}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '' || !['nats:', 'tls:'].includes(url.protocol)) {
    throw new Error(`nats.address: "${shown}" is not an address, expected "nats://host:4222" or "tls://host:4222"`);
  }
  const parsed: NatsAddress = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls: url.protocol === 'tls:',
  };
  if (url.username !== '') parsed.username = decodeURIComponent(url.username);
  if (url.password !== '') parsed.password = decodeURIComponent(url.password);
  return parsed;
}

/** "host:port", IPv6 in brackets. */
export function addressText(address: NatsAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/**
 * Reads the credentials for one attempt to connect; undefined: none. Files are read anew each time, so that rotated
 * credentials are used at the next connection. Rejects when a file cannot be read or holds no seed.
 */
export async function authenticator(config: NatsConfig, address: NatsAddress): Promise<Authenticator | undefined> {
  if (config.credsFile !== undefined) {
    return credsAuthenticator(await readSecret('creds-file', config.credsFile));
  }
  if (config.nkeyFile !== undefined) {
    const text = new TextDecoder().decode(await readSecret('nkey-file', config.nkeyFile));
    const seed = /^\s*(S[A-Z2-7]{57})\s*$/m.exec(text)?.[1];
    if (seed === undefined) {
      throw new Error(`nats.nkey-file: ${config.nkeyFile} holds no nkey seed, expected a line that begins with "SU"`);
    }
    return nkeyAuthenticator(new TextEncoder().encode(seed));
  }
  const username = address.username ?? config.username;
  if (username === undefined || username === '') return undefined;
  return usernamePasswordAuthenticator(username, address.password ?? config.password ?? '');
}

async function readSecret(key: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Error(`nats.${key}: cannot read ${file}: ${code}`, { cause });
  }
}
