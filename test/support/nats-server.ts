import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from './directories.js';
import { freePort } from './ports.js';
import { startProcess, type TestProcess } from './processes.js';
import { until } from './wait.js';

/**
 * A real nats-server on a port of its own, with a directory of its own; `config` is its configuration text. NATS_SERVER is the path
 * of another one than that of the distribution.
 */
export class NatsServer {
  readonly directory = temporaryDirectory();
  port = 0;
  #process: TestProcess | undefined;

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Writes a file (certificate, key, ...) into the server's directory and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts it on the port it had before, or on a free one; resolves when it takes connections. */
  async start(config = ''): Promise<void> {
    if (this.port === 0) this.port = await freePort();
    const file = this.file('nats.conf', `host: "127.0.0.1"\nport: ${this.port}\n${config}\n`);
    const server = startProcess(process.env.NATS_SERVER ?? 'nats-server', ['-c', file], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
    });
    this.#process = server;
    await until(() => {
      if (server.ended) throw new Error(`nats-server did not start:\n${server.log}`);
      return server.log.includes('Server is ready');
    }, 'nats-server to be ready');
  }

  async stop(): Promise<void> {
    await this.#process?.stop('SIGKILL');
    this.#process = undefined;
  }
}

/** What cc-metric-collector's NATS sink and Telegraf do on the wire: plain PUBs on a socket of their own. */
export async function publishRaw(port: number, subject: string, messages: Iterable<string>): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('CONNECT {"verbose":false}\r\n');
  let chunk = '';
  for (const message of messages) {
    chunk += `PUB ${subject} ${Buffer.byteLength(message)}\r\n${message}\r\n`;
    if (chunk.length < 64 << 10) continue;
    if (!socket.write(chunk)) await once(socket, 'drain');
    chunk = '';
  }
  const done = new Promise<void>((resolve) => {
    socket.on('data', (data: Buffer) => {
      if (data.includes('PONG')) resolve();
    });
  });
  socket.write(`${chunk}PING\r\n`);
  await done;
  socket.destroy();
}
