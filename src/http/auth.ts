import type { JWTPayload } from 'jose';
import { HttpError } from './errors.js';

/** Verified tokens that are remembered. */
const MAX_CACHED_TOKENS = 1024;

type Verify = typeof import('jose/jwt/verify').jwtVerify;
type Key = Awaited<ReturnType<typeof import('jose/key/import').importJWK>>;

/** Seconds in which a remembered token is accepted, ends excluded. */
interface Validity {
  notBefore: number;
  expires: number;
}

function unauthorized(reason: string): HttpError {
  // The parameter is a quoted string: reasons are our own texts and hold neither quotes nor line ends.
  const challenge = `Bearer realm="cc-metric-store", error="invalid_token", error_description="${reason}"`;
  return new HttpError(401, reason, ['WWW-Authenticate', challenge]);
}

const schemes = { bearer: /^Bearer +(\S+) *$/i, influx: /^(?:Bearer|Token) +(\S+) *$/i };

/** jose's error codes in our words; its messages may quote the token. */
const reasons: Record<string, string> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'the token must be signed with EdDSA',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the token's signature does not match the server's key",
  ERR_JWT_EXPIRED: 'the token has expired',
};

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && 'claim' in error) {
      return error.claim === 'nbf' ? 'the token is not valid yet' : 'a claim of the token is not acceptable';
    }
    return reasons[String(error.code)] ?? 'the token is not a JWT that this server accepts';
  }
  return 'the token cannot be read';
}

/**
 * Checks JSON Web Tokens: EdDSA by one Ed25519 key, `exp` and `nbf` honoured where present. A verified token is
 * remembered, at most until it expires; of 1024 remembered ones the oldest goes first.
 */
export class Authenticator {
  readonly #verifyJwt: Verify;
  readonly #key: Key;
  readonly #verified = new Map<string, Validity>();
  readonly #now: () => number;

  private constructor(verify: Verify, key: Key, now: () => number) {
    this.#verifyJwt = verify;
    this.#key = key;
    this.#now = now;
  }

  /**
   * @param publicKey raw 32-byte Ed25519 key.
   * @param now unix milliseconds, for tests.
   */
  static async create(publicKey: Uint8Array, now: () => number = Date.now): Promise<Authenticator> {
    const x = Buffer.from(publicKey).toString('base64url');
    // Only here: without a key nothing of it is needed.
    const [{ importJWK }, { jwtVerify }] = await Promise.all([import('jose/key/import'), import('jose/jwt/verify')]);
    return new Authenticator(jwtVerify, await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA'), now);
  }

  /** Tokens remembered at this moment. */
  get cached(): number {
    return this.#verified.size;
  }

  /** Throws 401 unless the `Authorization` header holds a token that is valid now. */
  async check(header: string | undefined, scheme: keyof typeof schemes): Promise<void> {
    const token = header === undefined ? undefined : schemes[scheme].exec(header)?.[1];
    if (token === undefined) {
      throw new HttpError(401, 'use JWT authentication: the header Authorization: Bearer <JWT> is required', [
        'WWW-Authenticate',
        'Bearer realm="cc-metric-store"',
      ]);
    }
    const known = this.#verified.get(token);
    if (known !== undefined) {
      const seconds = this.#now() / 1000;
      // Fast path: a collector sends the same token for months.
      if (seconds < known.expires && seconds >= known.notBefore) return;
      this.#verified.delete(token);
    }
    this.#remember(token, await this.#verify(token));
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      const currentDate = new Date(this.#now());
      const { payload } = await this.#verifyJwt(token, this.#key, { algorithms: ['EdDSA'], currentDate });
      return payload;
    } catch (error) {
      throw unauthorized(reasonOf(error));
    }
  }

  #remember(token: string, { exp, nbf }: JWTPayload): void {
    if (this.#verified.size >= MAX_CACHED_TOKENS) {
      const oldest = this.#verified.keys().next();
      if (!oldest.done) this.#verified.delete(oldest.value);
    }
    this.#verified.set(token, { notBefore: nbf ?? -Infinity, expires: exp ?? Infinity });
  }
}
