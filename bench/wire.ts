/** A kept-alive HTTP/1.1 connection that costs next to nothing, so that the generator does not take the server's processor time. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Answer {
  status: number;
  /** Bytes of the body. */
  bytes: number;
  /** Milliseconds from the first byte sent to the last received. */
  milliseconds: number;
  /** The body, if it was asked for. */
  body: string;
}

/** How a server is reached, otherwise than plainly by anyone. */
export interface Access {
  /** Over TLS, whatever certificate the server has. */
  tls: boolean;
  /** JSON web token. */
  token: string;
}

/** The header that a request needs. */
export function tokenHeader(access: Access | undefined): string {
  return access === undefined ? '' : `Authorization: Bearer ${access.token}\r\n`;
}

/** A query that finds nothing. */
export const EMPTY_QUERY = '{"cluster":"none","from":0,"to":1,"queries":[]}';

/** The bytes of a request. */
export function requestBytes(method: string, path: string, body: string | Buffer, headers = ''): Buffer {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n${headers}\r\n`;
  return Buffer.concat([Buffer.from(head), typeof body === 'string' ? Buffer.from(body) : body]);
}

/** Where the reader stands in a chunked body: in the data of a chunk, or in the line that tells the next one's size. */
type ChunkState = { left: number } | { line: string };

export class Connection {
  private began = 0;
  private head = '';
  private inBody = false;
  private status = 0;
  /** Bytes of the body still to come; undefined: it is chunked. */
  private left: number | undefined;
  private chunk: ChunkState = { line: '' };
  /** The chunk of size 0 has been seen. */
  private lastChunk = false;
  private bytes = 0;
  private pieces: Buffer[] | undefined;
  private settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (data) => this.receive(data));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  static async open(port: number, { host = '127.0.0.1', tls = false } = {}): Promise<Connection> {
    // Whatever certificate the server has.
    const socket = tls ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host);
    await once(socket, tls ? 'secureConnect' : 'connect');
    return new Connection(socket);
  }

  /** One request at a time. @param keep whether the answer's body is wanted, not only its size */
  send(request: Buffer, keep = false): Promise<Answer> {
    this.head = '';
    this.inBody = false;
    this.bytes = 0;
    this.pieces = keep ? [] : undefined;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.began = performance.now();
      this.socket.write(request);
    });
  }

  close(): void {
    this.settle = undefined;
    this.socket.destroy();
  }

  private fail(error: Error): void {
    this.settle?.reject(error);
    this.settle = undefined;
  }

  private receive(data: Buffer): void {
    let rest = data;
    if (!this.inBody) {
      const seen = this.head.length;
      this.head += data.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      rest = data.subarray(end + 4 - seen);
      this.inBody = true;
      this.status = Number(this.head.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.head.slice(0, end));
      this.left = length === null ? undefined : Number(length[1]);
      this.chunk = { line: '' };
      this.lastChunk = false;
    }
    if (this.left === undefined) {
      if (this.readChunks(rest)) this.finish();
      return;
    }
    this.take(rest);
    this.left -= rest.length;
    if (this.left <= 0) this.finish();
  }

  /** Reads what came of a chunked body; true when that was the end. */
  private readChunks(data: Buffer): boolean {
    let at = 0;
    while (at < data.length) {
      if ('left' in this.chunk) {
        const piece = data.subarray(at, at + this.chunk.left);
        this.take(piece);
        at += piece.length;
        this.chunk.left -= piece.length;
        if (this.chunk.left === 0) this.chunk = { line: '' };
        continue;
      }
      const byte = data[at++] ?? 0;
      if (byte !== 0x0a) {
        this.chunk.line += String.fromCharCode(byte);
        continue;
      }
      const size = this.chunk.line.trim();
      this.chunk = { line: '' };
      // An empty line ends a chunk's data, or the whole answer after the chunk of size 0.
      if (size === '') {
        if (this.lastChunk) return true;
        continue;
      }
      const length = Number.parseInt(size, 16);
      this.lastChunk = length === 0;
      if (length > 0) this.chunk = { left: length };
    }
    return false;
  }

  private take(piece: Buffer): void {
    this.bytes += piece.length;
    this.pieces?.push(piece);
  }

  private finish(): void {
    const { settle, status, bytes, pieces } = this;
    this.settle = undefined;
    const body = pieces === undefined ? '' : Buffer.concat(pieces).toString();
    settle?.resolve({ status, bytes, milliseconds: performance.now() - this.began, body });
  }
}
