/** What the tests of the whole ask a server with: one request a connection, bodies on GET too, answers as they come. */
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** As they came, perhaps compressed. */
  bytes: Buffer;
  body: string;
}

export interface Ask {
  /** Default: POST with a body, else GET. */
  method?: string;
  headers?: Record<string, string | number>;
  body?: string | Uint8Array;
  /** Default: a connection for this request alone. */
  agent?: Agent;
}

/** One series of an answer. */
export interface Series {
  error?: string;
  data?: (number | null)[];
  from: number;
  to: number;
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
}

export interface QueryAnswer {
  queries?: { metric: string; host: string; resolution: number; aggreg: boolean }[];
  results: Series[][];
}

/** Sends a request to 127.0.0.1. Rejects only when the connection breaks. */
export function ask(port: number, path: string, { method, headers = {}, body, agent }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isChunked = Object.keys(headers).some((name) => name.toLowerCase() === 'transfer-encoding');
    const length = body === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(body) };
    const asking = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...length, ...headers },
        agent: agent ?? false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          const bytes = Buffer.concat(chunks);
          resolve({ status: statusCode, headers, bytes, body: bytes.toString() });
        });
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Posts line protocol. */
export function write(port: number, body: string | Uint8Array, path = '/api/write', agent?: Agent): Promise<Answer> {
  return ask(port, path, { method: 'POST', body, ...(agent && { agent }) });
}

/** Asks /api/query. @throws Error unless the answer is 200. */
export async function query(port: number, body: object): Promise<QueryAnswer> {
  const answer = await ask(port, '/api/query', { method: 'POST', body: JSON.stringify(body) });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as QueryAnswer;
}

/** Value of a line of /metrics, 0 when it is not there; values with labels are added up. */
export async function figure(port: number, name: string): Promise<number> {
  const { body } = await ask(port, '/metrics');
  let sum = 0;
  for (const line of body.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

/** Members of `/api/debug?summary=1` for a cluster. */
export async function summary(
  port: number,
  cluster: string,
): Promise<{ hosts: number; series: number; samples: number }> {
  const { body } = await ask(port, `/api/debug?summary=1&selector=${encodeURIComponent(cluster)}`);
  const { clusters } = JSON.parse(body) as {
    clusters: Record<string, { hosts: number; series: number; samples: number }>;
  };
  const found = clusters[cluster];
  if (!found) throw new Error(`no cluster ${cluster} in ${body}`);
  return found;
}
