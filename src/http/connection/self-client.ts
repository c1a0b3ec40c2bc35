/**
 * The least that asks our own server a question. Not Node's client: that shares its code with Node's server, and V8 would
 * optimise it for both ends. It asks as Go's client does, which is what cc-backend has.
 */
import type { Socket } from 'node:net';

/** What ends an answer that comes in chunks. */
const CHUNKS_END = Buffer.from('0\r\n\r\n');

interface Head {
  /** Of the head, with the empty line after it. */
  bytes: number;
  /** Of the body; undefined: it comes in chunks. */
  length: number | undefined;
}

/** The head of an answer, once all of it is there. @throws Error when the answer is not 200. */
function headOf(start: Buffer): Head | undefined {
  const end = start.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const text = start.subarray(0, end).toString('latin1');
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`answered ${text}`);
  const length = /^content-length: (\d+)$/im.exec(text)?.[1];
  return { bytes: end + 4, length: length === undefined ? undefined : Number(length) };
}

/** A question of cc-backend's, or the path of any other GET. */
export type Question = object | string;

function requestOf(question: Question): string {
  const [path, body] = typeof question === 'string' ? [question, ''] : ['/api/query', JSON.stringify(question)];
  const headers = `Host: self\r\nUser-Agent: self\r\nContent-Length: ${Buffer.byteLength(body)}\r\nAccept-Encoding: gzip`;
  return `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n${body}`;
}

/** Asks a question on a connection that is idle. Resolves to the start of the answer (its first packets) once it has ended. */
export function ask(socket: Socket, question: Question): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let start = Buffer.alloc(0);
    let tail = Buffer.alloc(0);
    let head: Head | undefined;
    let received = 0;
    const settle = (error?: Error): void => {
      socket.off('data', read).off('error', settle).off('close', gone);
      if (error) reject(error);
      else resolve(start);
    };
    const gone = (): void => settle(new Error('the connection was closed'));
    const hasEnded = (part: Buffer): boolean => {
      received += part.length;
      tail = Buffer.concat([tail, part.subarray(-CHUNKS_END.length)]).subarray(-CHUNKS_END.length);
      if (!head) {
        start = Buffer.concat([start, part]);
        head = headOf(start);
      }
      if (!head) return false;
      return head.length === undefined ? tail.equals(CHUNKS_END) : received >= head.bytes + head.length;
    };
    const read = (part: Buffer): void => {
      try {
        if (hasEnded(part)) settle();
      } catch (error) {
        settle(error as Error);
      }
    };
    socket.on('data', read).on('error', settle).on('close', gone);
    socket.write(requestOf(question));
  });
}
