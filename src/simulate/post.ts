/** Posts batches over kept-alive connections. */
import http from 'node:http';
import https from 'node:https';

export interface PostResult {
  status: number;
  /** The answer's body: empty for success, JSON with an `error` otherwise. */
  text: string;
  /** Milliseconds from sending the first byte to the answer's last. */
  milliseconds: number;
  /** Seconds that the server asks to wait (`Retry-After`); 0: it does not. */
  retryAfter: number;
}

export interface Poster {
  /** Rejects when the server cannot be reached or hangs up. */
  post(body: Buffer): Promise<PostResult>;
  close(): void;
}

export interface PosterOptions {
  /** The server's base URL. */
  url: URL;
  cluster: string;
  /** How many connections are open at most. */
  connections: number;
  /** Empty: none. */
  jwt: string;
}

/** Milliseconds without a byte from the server after which a request fails. */
const TIMEOUT_MS = 30_000;

export function createPoster({ url, cluster, connections, jwt }: PosterOptions): Poster {
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const target = new URL(`${url.pathname.replace(/\/+$/, '')}/api/write`, url);
  target.searchParams.set('cluster', cluster);
  const headers: Record<string, string> = { 'content-type': 'text/plain' };
  if (jwt !== '') headers.authorization = `Bearer ${jwt}`;

  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        const outgoing = request(
          target,
          {
            method: 'POST',
            agent,
            timeout: TIMEOUT_MS,
            headers: { ...headers, 'content-length': String(body.length) },
          },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8');
            answer.on('data', (piece: string) => {
              text += piece;
            });
            answer.on('error', reject);
            answer.on('end', () => {
              resolve({
                status: answer.statusCode ?? 0,
                text,
                milliseconds: performance.now() - began,
                retryAfter: Number(answer.headers['retry-after'] ?? 0) || 0,
              });
            });
          },
        );
        outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    close: () => agent.destroy(),
  };
}
