/** What tests ask a server with: one request a connection, bodies on GET too, or raw bytes. */
import { once } from 'node:events';
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { LIMIT } from './limits.js';

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

/** An open connection to 127.0.0.1. Errors on it are ignored: who waits for its end uses `closed`. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Resolves once the socket is closed, also if it was reset. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Status codes of the answers in a raw stream. */
export function statuses(stream: string): number[] {
  return [...stream.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

export interface Exchange {
  /** Ends the own side after the bytes. */
  end?: boolean;
  /** Leaves after so many answers have begun; default: when the server hangs up. */
  answers?: number;
}

/** Sends raw bytes. @returns all that came back. @throws Error when the server does not hang up within `LIMIT`. */
export async function exchange(
  port: number,
  bytes: string | Uint8Array,
  { end = false, answers = Number.POSITIVE_INFINITY }: Exchange = {},
): Promise<string> {
  const socket = await openSocket(port);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (statuses(text).length >= answers) socket.destroy();
  });
  socket.setTimeout(LIMIT, () => socket.destroy(new Error('silence')));
  socket.write(bytes);
  if (end) socket.end();
  await closed(socket);
  if (socket.errored?.message === 'silence') {
    throw new Error(`the server neither answered nor hung up within ${LIMIT} ms; it sent ${JSON.stringify(text)}`);
  }
  return text;
}
