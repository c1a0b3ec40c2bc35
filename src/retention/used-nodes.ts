import { errorText } from '../base/log.js';
import { readBackendToken } from '../config/backend-token.js';
import type { BackendToken } from '../config/config.js';

/** cluster -> hosts whose data is kept. */
export type UsedNodes = ReadonlyMap<string, ReadonlySet<string>>;

export interface UsedNodesLimits {
  /** For the whole exchange, body included. */
  timeoutMs: number;
  /** Bytes of the answer. A cluster of 10 000 hosts needs about 0.2 MB. */
  maxBytes: number;
}

/** Characters of a refusal's text that the log repeats. */
const SHOWN_LENGTH = 200;

export const DEFAULT_LIMITS: UsedNodesLimits = { timeoutMs: 30_000, maxBytes: 16 << 20 };

/** Where cc-backend is and how it is asked. */
export interface Backend {
  /** Base URL without a trailing slash. */
  url: string;
  /** JWT of a user with the role "api"; cc-backend refuses requests without one. */
  token?: BackendToken | undefined;
}

/**
 * The backend answered, but with a refusal or with something that is no list of hosts; or its token can't be read. Asking
 * again does not help: somebody has to put it right.
 */
export class BackendRefusal extends Error {
  override readonly name = 'BackendRefusal';
}

/**
 * Asks cc-backend which hosts run jobs that started before the cutoff (unix seconds).
 * Rejects with one line: a BackendRefusal, or any other Error when the backend can't be reached or fails (5xx).
 * @param stop ends the call: it rejects at once.
 */
export async function fetchUsedNodes(
  backend: Backend,
  cutoff: number,
  fetcher: typeof fetch,
  limits: UsedNodesLimits = DEFAULT_LIMITS,
  stop?: AbortSignal,
): Promise<UsedNodes> {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  const signal = stop ? AbortSignal.any([timeout, stop]) : timeout;
  const url = `${backend.url}/api/jobs/used_nodes?ts=${cutoff}`;
  const token = tokenOf(backend);
  const headers = { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  try {
    const response = await fetcher(url, { headers, signal });
    const text = await bodyOf(response, limits.maxBytes);
    if (response.status !== 200) throw statusError(response.status, text, token !== undefined);
    return parseUsedNodes(text);
  } catch (error) {
    const reason = timeout.aborted ? `no complete answer within ${limits.timeoutMs} ms` : reasonOf(error);
    // No cause: its text may quote the address with its password.
    const Kind = error instanceof BackendRefusal && !timeout.aborted ? BackendRefusal : Error;
    throw new Kind(withoutSecrets(`GET ${url}: ${reason}`));
  }
}

function tokenOf({ token }: Backend): string | undefined {
  try {
    return token && readBackendToken(token);
  } catch (error) {
    throw new BackendRefusal(errorText(error));
  }
}

/** A server's failure passes by itself; any other status is a refusal. @param text the answer's body */
function statusError(status: number, text: string, hasToken: boolean): Error {
  const why = refusalText(text);
  const hint = status === 401 && !hasToken ? '; it wants a JWT: main.backend-token or backend-token-file' : '';
  const what = `status ${status}${why && ` (${why})`}, expected 200${hint}`;
  return status >= 500 ? new Error(what) : new BackendRefusal(what);
}

/** cc-backend explains itself as `{"status": ..., "error": ...}`; empty for any other body. */
function refusalText(text: string): string {
  try {
    const { error } = JSON.parse(text);
    return typeof error === 'string' ? error.slice(0, SHOWN_LENGTH) : '';
  } catch {
    return '';
  }
}

/**
 * Reads `{"usedNodes": {"cluster": ["host", ...], ...}}` as cc-backend 1.5 answers, or the bare map of clusters. Go writes an
 * empty list or map as null, so null stands for none.
 * @throws BackendRefusal that says what was expected.
 */
export function parseUsedNodes(text: string): UsedNodes {
  const begin = JSON.stringify(text.slice(0, 40));
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new BackendRefusal(`the answer is not JSON, it begins with ${begin}`);
  }
  const clusters = isObject(answer) && isObject(answer.usedNodes) ? answer.usedNodes : answer;
  const used = new Map<string, ReadonlySet<string>>();
  if (clusters === null) return used;
  if (!isObject(clusters)) throw new BackendRefusal(`the answer is not an object of clusters, it begins with ${begin}`);
  for (const [cluster, hosts] of Object.entries(clusters)) {
    if (hosts === null) continue;
    if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string')) {
      throw new BackendRefusal(`the answer's ${JSON.stringify(cluster.slice(0, 40))} is not a list of host names`);
    }
    used.set(cluster, new Set(hosts));
  }
  return used;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function bodyOf(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString();
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw new BackendRefusal(`the answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
}

/** fetch says "fetch failed" and keeps the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  // A host with several addresses fails with an AggregateError, which has a code and no text.
  return error.cause.message || ('code' in error.cause ? String(error.cause.code) : error.message);
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, '//');
}
