import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/**
 * A TCP port on 127.0.0.1 that nobody listens on, nor is given by the kernel for a minute: of the few thousand that it
 * chooses from, another test would now and then get this one before its server has bound it, and answer in its place.
 */
export async function freePort(): Promise<number> {
  // The side that closes first is left in TIME_WAIT. Such a port is only for those who name it (and SO_REUSEADDR, as node does).
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(connect(port, '127.0.0.1').resume(), 'close');
  server.close();
  await once(server, 'close');
  return port;
}
