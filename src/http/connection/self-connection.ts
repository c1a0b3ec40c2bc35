/** A connection of the server to itself, through its own port. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { connect as connectTls, Server as TlsServer } from 'node:tls';

export interface SelfConnection {
  /** The client's end. */
  near: Socket;
  /** The server's end, as requests on it have it. */
  far: Socket;
}

/** Addresses that stand for all of a machine's, and one of them. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Milliseconds to wait for the other end, which may never be ours: somebody may redirect the port. */
const PATIENCE = 5000;

type Ends = Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/**
 * Whether two sockets are the ends of one connection. The port that one comes from would not do: it may be in use towards
 * another of our addresses as well.
 */
export function isOtherEnd(a: Ends, b: Ends): boolean {
  return (
    a.remotePort === b.localPort &&
    a.remoteAddress === b.localAddress &&
    a.localPort === b.remotePort &&
    a.localAddress === b.remoteAddress
  );
}

/**
 * Connects to a server that listens, and finds the other end among those that come in: nobody else can pass for it, for no
 * two connections have the same ends. Rejects when the connection is not made.
 */
export async function connectToSelf(server: Server): Promise<SelfConnection> {
  const { address, port } = server.address() as AddressInfo;
  const host = LOOPBACK[address] ?? address;
  const secure = server instanceof TlsServer;
  const event = secure ? 'secureConnection' : 'connection';
  // The certificate is for others; this is ourselves.
  const near = secure ? connectTls({ host, port, rejectUnauthorized: false }) : connect(port, host);
  const accepted: Socket[] = [];
  const accept = (socket: Socket): void => {
    accepted.push(socket);
    near.emit('accepted');
  };
  server.on(event, accept);
  const find = (): Socket | undefined => accepted.find((socket) => isOtherEnd(socket, near));
  try {
    await once(near, secure ? 'secureConnect' : 'connect');
    let far = find();
    while (!far) {
      await once(near, 'accepted', { signal: AbortSignal.timeout(PATIENCE) });
      far = find();
    }
    return { near, far };
  } catch (error) {
    near.destroy();
    throw error;
  } finally {
    server.off(event, accept);
  }
}
