import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/server-process.js';

/** A real nats-server on a port of its own, with a directory of its own; `config` is its configuration text. */
export class NatsServer {
  readonly directory = mkdtempSync(join(tmpdir(), 'ccms-nats-'));
  port = 0;
  #process: ChildProcess | undefined;
  #output = '';

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
    this.#output = '';
    const child = spawn('nats-server', ['-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
    });
    this.#process = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    await once(child, 'spawn');
    await until(() => {
      if (child.exitCode !== null) throw new Error(`nats-server did not start:\n${this.#output}`);
      return this.#output.includes('Server is ready');
    }, 'nats-server to be ready');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the condition holds; fails after `timeoutMs`, naming what was waited for. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(10);
  }
}

/** What cc-metric-collector's NATS sink and Telegraf do on the wire: plain PUBs on a socket of their own. */
export async function publishRaw(port: number, subject: string, messages: Iterable<string>): Promise<void> {
  const socket = dial(port, '127.0.0.1');
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
