/** cluster -> hosts whose data is kept. */
export type UsedNodes = ReadonlyMap<string, ReadonlySet<string>>;

export interface UsedNodesLimits {
  /** For the whole exchange, body included. */
  timeoutMs: number;
  /** Bytes of the answer. A cluster of 10 000 hosts needs about 0.2 MB. */
  maxBytes: number;
}

export const DEFAULT_LIMITS: UsedNodesLimits = { timeoutMs: 30_000, maxBytes: 16 << 20 };

/**
 * Asks cc-backend which hosts run jobs that started before the cutoff (unix seconds).
 * Rejects with one line that says what is wrong with the answer, or why there is none.
 * @param stop ends the call: it rejects at once.
 */
export async function fetchUsedNodes(
  backendUrl: string,
  cutoff: number,
  fetcher: typeof fetch,
  limits: UsedNodesLimits = DEFAULT_LIMITS,
  stop?: AbortSignal,
): Promise<UsedNodes> {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  const signal = stop ? AbortSignal.any([timeout, stop]) : timeout;
  const url = `${backendUrl}/api/jobs/used_nodes?ts=${cutoff}`;
  try {
    const response = await fetcher(url, { headers: { accept: 'application/json' }, signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`status ${response.status}, expected 200`);
    }
    return parseUsedNodes(await bodyOf(response, limits.maxBytes));
  } catch (error) {
    const reason = timeout.aborted ? `no complete answer within ${limits.timeoutMs} ms` : reasonOf(error);
    // No cause: its text may quote the address with its password.
    throw new Error(withoutSecrets(`GET ${url}: ${reason}`));
  }
}

/**
 * Reads `{"cluster": ["host", ...], ...}`. Go writes an empty list or map as null, so null stands for none.
 * Throws an Error that says what was expected.
 */
export function parseUsedNodes(text: string): UsedNodes {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`the answer is not JSON, it begins with ${JSON.stringify(text.slice(0, 40))}`);
  }
  const used = new Map<string, ReadonlySet<string>>();
  if (answer === null) return used;
  if (typeof answer !== 'object' || Array.isArray(answer)) {
    throw new Error(`the answer is not an object of clusters, it begins with ${JSON.stringify(text.slice(0, 40))}`);
  }
  for (const [cluster, hosts] of Object.entries(answer as Record<string, unknown>)) {
    if (hosts === null) continue;
    if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string')) {
      throw new Error(`the answer's ${JSON.stringify(cluster.slice(0, 40))} is not a list of host names`);
    }
    used.set(cluster, new Set(hosts));
  }
  return used;
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
      throw new Error(`the answer is longer than ${maxBytes} bytes`);
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
