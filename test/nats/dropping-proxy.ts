/** A connection to NATS on which messages can get lost: what the client is sent is taken apart, and one message left out. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const LINE_END = '\r\n';

export class DroppingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Messages that are let through before the one that gets lost; undefined: none is to. */
  #left: number | undefined;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
      }
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      near.pipe(far);
      let rest: Buffer = Buffer.alloc(0);
      far.on('data', (data: Buffer) => {
        rest = this.#pass(Buffer.concat([rest, data]), near);
      });
    });
  }

  static async start(target: number): Promise<DroppingProxy> {
    const proxy = new DroppingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether the message has been lost. */
  get hasDropped(): boolean {
    return this.#left === undefined;
  }

  /** Loses a message of the stream. @param after so many more of them. */
  drop(after: number): void {
    this.#left = after;
  }

  /** Passes whole protocol lines on, with what belongs to them. @returns the rest. */
  #pass(data: Buffer, near: Socket): Buffer {
    let at = 0;
    while (true) {
      const lineEnd = data.indexOf(LINE_END, at);
      if (lineEnd < 0) break;
      const words = data.toString('latin1', at, lineEnd).split(' ');
      const isMessage = words[0] === 'MSG' || words[0] === 'HMSG';
      const end = lineEnd + 2 + (isMessage ? Number(words.at(-1)) + 2 : 0);
      if (end > data.length) break;
      // A message of a stream says where it is to be acknowledged.
      const isOfStream = isMessage && words.some((word) => word.startsWith('$JS.ACK.'));
      if (isOfStream && this.#left === 0) this.#left = undefined;
      else {
        if (isOfStream && this.#left !== undefined) this.#left--;
        near.write(data.subarray(at, end));
      }
      at = end;
    }
    return data.subarray(at);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
