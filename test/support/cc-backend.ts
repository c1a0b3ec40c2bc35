/**
 * cc-backend 1.5.4 as far as retention speaks to it: `GET /api/jobs/used_nodes` with its authentication, written after
 * its source (cmd/cc-backend/server.go, internal/auth/auth.go, internal/api/job.go): status, headers and bodies of answers
 * and refusals are the same. Beside the real one (built from its tag v1.5.4, 2026-11-28) 25 requests of this route were answered
 * alike in status, headers and body.
 */
import { verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type TokenKey, token, tokenKey } from './tokens.js';

/** What cc-backend sets in front of every route. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
};

const BAD_REQUEST = 'Bad Request';

interface Reply {
  status: number;
  body: string;
}

export interface CcBackend {
  /** Base URL. */
  url: string;
  /** Paths with their queries, in order. */
  asked: string[];
  /** Nodes of running jobs; null as Go prints a map that was never made. */
  used: Record<string, string[]> | null;
  /** Set: the database can't be read. */
  databaseError: string | undefined;
  /** A JWT as `cc-backend -jwt USER` prints it. */
  jwt(roles: string[], claims?: object): string;
  close(): void;
}

/** Starts one on a free port. */
export async function startCcBackend(): Promise<CcBackend> {
  const key = tokenKey();
  const server = createServer((request, response) => {
    const target = request.url ?? '';
    backend.asked.push(target);
    const { pathname, searchParams } = new URL(target, 'http://backend');
    const { status, body } =
      pathname === '/api/jobs/used_nodes' && request.method === 'GET'
        ? (authenticate(request.headers, key) ?? usedNodes(backend, searchParams))
        : refusal(404, 'the requested endpoint does not exist', 'Resource not found');
    send(response, request.headers, status, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const backend: CcBackend = {
    url: `http://127.0.0.1:${portOf(server)}`,
    asked: [],
    used: {},
    databaseError: undefined,
    jwt: (roles, claims = {}) => token(key, { sub: 'store', roles, iat: Math.floor(Date.now() / 1000), ...claims }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return backend;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function send(response: ServerResponse, asked: IncomingHttpHeaders, status: number, body: string): void {
  const zip = /\bgzip\b/.test(String(asked['accept-encoding']));
  response.writeHead(status, {
    ...HEADERS,
    vary: `Origin${zip ? ', Accept-Encoding' : ''}`,
    'content-type': 'application/json',
    ...(zip && { 'content-encoding': 'gzip' }),
  });
  response.end(zip ? gzipSync(body) : body);
}

/** In front of the routes a map, which Go prints sorted; its encoder ends with a newline. */
function refusal(status: number, error: string, text: string): Reply {
  return { status, body: `${JSON.stringify({ error, status: text })}\n` };
}

const unauthorized = (error: string): Reply => refusal(401, error, 'Unauthorized');

/** In a route a struct. */
function failure(status: number, error: string, text: string): Reply {
  return { status, body: `${JSON.stringify({ status: text, error })}\n` };
}

/** @returns undefined: go on to the route. */
function authenticate(headers: IncomingHttpHeaders, key: TokenKey): Reply | undefined {
  const given = String(headers['x-auth-token'] ?? headers.authorization ?? '').replace(/^Bearer /, '');
  if (given === '') return unauthorized('no user for secured check');
  const [header, payload, signature, ...rest] = given.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    return unauthorized('token is malformed: token contains an invalid number of segments');
  }
  const { alg } = decoded(header);
  if (alg !== 'EdDSA') {
    return unauthorized('token is unverifiable: error while executing keyfunc: only Ed25519/EdDSA supported');
  }
  if (!verify(null, Buffer.from(`${header}.${payload}`), key.publicKey, Buffer.from(signature, 'base64url'))) {
    return unauthorized('token signature is invalid: ed25519: verification error');
  }
  const { sub, exp, roles } = decoded(payload);
  if (typeof exp === 'number' && exp < Date.now() / 1000) {
    return unauthorized('token has invalid claims: token is expired');
  }
  if (!sub) return unauthorized("missing 'sub' claim in JWT");
  const held = Array.isArray(roles) ? roles : [];
  const refused = unauthorized('unauthorized');
  // Without any role it answers twice.
  if (held.length === 0) return { status: 401, body: refused.body + refused.body };
  const enough = held.length === 1 ? held[0] === 'api' : held.includes('api') && held.includes('admin');
  return enough ? undefined : refused;
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}

function usedNodes(backend: CcBackend, query: URLSearchParams): Reply {
  const ts = query.get('ts');
  if (!ts) return failure(400, 'missing required query parameter: ts', BAD_REQUEST);
  if (!/^[+-]?\d+$/.test(ts)) {
    const why = `strconv.ParseInt: parsing ${JSON.stringify(ts)}: invalid syntax`;
    return failure(400, `invalid timestamp format: ${why}`, BAD_REQUEST);
  }
  if (backend.databaseError)
    return failure(500, `failed to get used nodes: ${backend.databaseError}`, 'Internal Server Error');
  return { status: 200, body: `${JSON.stringify({ usedNodes: backend.used })}\n` };
}
