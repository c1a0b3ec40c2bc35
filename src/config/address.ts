/** "host:port" as Go's `net.Listen` takes it. */
import { lookup } from 'node:dns/promises';

export interface Address {
  /** Empty: all interfaces. IPv6 without its brackets. */
  host: string;
  /** 0: any free port. */
  port: number;
}

/** Where the server listens unless `main.addr` says otherwise. */
export const DEFAULT_ADDRESS = 'localhost:8080';

const FORM = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d*)$/;
const HOST = /^[A-Za-z0-9._%:-]*$/;

/** "localhost:8080", ":8080", "[::1]:8080", "127.0.0.1:" (any port); undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const form = FORM.exec(text);
  if (form === null) return undefined;
  const host = form[1] ?? form[2] ?? '';
  const port = Number(form[3]);
  return HOST.test(host) && port <= 65535 ? { host, port } : undefined;
}

/**
 * What to bind for a host of the configuration: for a name its first IPv4 address where it has one, as Go does. Node
 * would take whichever comes first, so that "localhost" may leave out 127.0.0.1. Undefined: all interfaces.
 * Rejects when the name is not known.
 */
export async function listenAddress(host: string): Promise<string | undefined> {
  if (host === '') return undefined;
  const addresses = await lookup(host, { all: true });
  return (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address;
}
