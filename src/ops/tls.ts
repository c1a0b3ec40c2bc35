/** Certificates: read and checked at the start, read again on SIGHUP without dropping connections. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { logger } from '../base/log.js';

const log = logger('tls');
const DAY_MS = 86_400_000;
const EXPIRY_WARNING_DAYS = 14;

export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

/** For `https.createServer` and for `server.setSecureContext`. */
export interface TlsOptions {
  cert: Buffer;
  key: Buffer;
  minVersion: 'TLSv1.2';
}

export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'TLS_FILES';
}

/**
 * Reads the pair and makes sure that OpenSSL takes it and that the key is the certificate's. An expired certificate, or
 * one that soon will be, is only warned of: its clients decide.
 * @throws TlsError naming the file
 */
export function loadTls({ certFile, keyFile }: TlsFiles): TlsOptions {
  const options = {
    cert: read('main.https-cert-file', certFile),
    key: read('main.https-key-file', keyFile),
    minVersion: 'TLSv1.2',
  } as const;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(options.cert);
  } catch (cause) {
    throw new TlsError(`${certFile} (main.https-cert-file): expected a PEM certificate`, { cause });
  }
  try {
    createSecureContext(options);
  } catch (cause) {
    const what = `${keyFile} (main.https-key-file): expected the unencrypted PEM private key of ${certFile}`;
    throw new TlsError(what, { cause });
  }
  const days = (Date.parse(certificate.validTo) - Date.now()) / DAY_MS;
  if (days < 0) log.warn(`${certFile}: the certificate expired on ${certificate.validTo}`);
  else if (days < EXPIRY_WARNING_DAYS) log.warn(`${certFile}: the certificate expires on ${certificate.validTo}`);
  return options;
}

/**
 * Reads the pair again and hands it to `apply` (`(options) => server.setSecureContext(options)`). When that fails, the old
 * pair stays in use and the log says why. After a drop of privileges the files must still be readable.
 */
export function reloadTls(files: TlsFiles, apply: (options: TlsOptions) => void): void {
  try {
    apply(loadTls(files));
    log.info(`${files.certFile} was read again`);
  } catch (error) {
    log.err('the certificate was not read again, the old one stays in use', error);
  }
}

function read(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new TlsError(`${path} (${key}): cannot read it`, { cause });
  }
}
