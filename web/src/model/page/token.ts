/** What a JSON Web Token says about itself. The signature is the server's matter. */
import { formatFullTime, formatSpan } from '../time/times.js';

/** What people paste: with `Bearer`, quotes, or line ends of a mail. */
export function cleanToken(text: string): string {
  return text
    .trim()
    .replace(/^(authorization:\s*)?bearer\s+/i, '')
    .replace(/[\s"']/g, '');
}

interface Claims {
  exp?: unknown;
  nbf?: unknown;
  alg?: unknown;
}

/** What is visibly wrong with the token; undefined: nothing. @param now unix seconds */
export function describeToken(token: string, now: number): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return 'This is no token: expected three parts with a point between them.';
  const header = decodePart(parts[0]);
  const claims = decodePart(parts[1]);
  if (header === undefined || claims === undefined)
    return 'This token cannot be read: a part of it is missing or changed.';
  if (header.alg !== 'EdDSA') return `This token is signed with ${String(header.alg)}; the server takes EdDSA.`;
  const { exp, nbf } = claims;
  if (typeof exp === 'number' && exp <= now) {
    return `This token expired ${formatSpan(now - exp)} ago, at ${formatFullTime(exp, 'local')}.`;
  }
  if (typeof nbf === 'number' && nbf > now) return `This token is valid from ${formatFullTime(nbf, 'local')} on.`;
  return undefined;
}

function decodePart(part: string | undefined): Claims | undefined {
  try {
    const bytes = Uint8Array.from(atob((part ?? '').replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
