/**
 * The port is open before the rest of the program is read, which takes ten times as long as the start of Node itself:
 * collectors find somebody there during a restart, and wait for an answer instead of being refused. Nothing of a connection
 * is read here. This file may import nothing but small files: what it reads everybody waits for.
 */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { parseFlags } from './commands/cli.js';
import { type Address, DEFAULT_ADDRESS, listenAddress, parseAddress } from './config/address.js';

export interface EarlyPort {
  /** Hands the port over, and the connections that have come. Resolves once the server listens. */
  handOver(server: Server): Promise<void>;
}

/**
 * Opens the port that the configuration names. @param argv without node and script.
 * @returns undefined: the command line wants no server, the configuration names no port, or it can't be bound. The rest of
 * the start says so then, as it does without this.
 */
export async function openEarlyPort(argv: readonly string[]): Promise<EarlyPort | undefined> {
  const flags = parseFlags(argv);
  if ('exit' in flags || flags.checkConfig || flags.cleanupCheckpoints) return undefined;
  const address = addressOf(flags.config);
  return address && listen(address);
}

/** What the file says, without a look at the rest of it. */
function addressOf(path: string): Address | undefined {
  try {
    const config: { main?: { addr?: unknown } } = JSON.parse(readFileSync(path, 'utf8'));
    const text = config.main?.addr ?? DEFAULT_ADDRESS;
    return typeof text === 'string' ? parseAddress(text) : undefined;
  } catch {
    return undefined;
  }
}

async function listen(address: Address): Promise<EarlyPort | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    waiting.add(socket);
    // A client that gives up: nobody else listens to this socket yet.
    socket.on('error', () => {});
    socket.once('close', () => waiting.delete(socket));
  });
  try {
    const host = await listenAddress(address.host);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: address.port, ...(host !== undefined && { host }) }, resolve);
    });
  } catch {
    return undefined;
  }
  // A start that fails must not be kept from ending.
  server.unref();
  return {
    handOver: async (next) => {
      // The same socket of the kernel: no connection is lost in between.
      await new Promise<void>((resolve) => next.listen(server, resolve));
      next.ref();
      for (const socket of waiting) {
        next.emit('connection', socket);
        socket.resume();
      }
      waiting.clear();
    },
  };
}
