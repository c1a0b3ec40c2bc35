/** "host:port" as Go's `net.Listen` takes it. */

export interface Address {
  /** Empty: all interfaces. IPv6 without its brackets. */
  host: string;
  /** 0: any free port. */
  port: number;
}

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
