/** A nats-server with JetStream, for stores that are a cluster. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectNats } from 'nats';
import { cpuSecondsOf, freePort } from './server.js';

const READY_MS = 10_000;
/** Of all streams. */
const STREAM_BYTES = 2 ** 34;

export class Nats {
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(
    readonly port: number,
    child: ChildProcess,
    directory: string,
  ) {
    this.#child = child;
    this.#directory = directory;
  }

  /** @throws Error when there is no nats-server in the path, or it does not start. */
  static async start(): Promise<Nats> {
    const directory = mkdtempSync(join(tmpdir(), 'ccms-bench-nats-'));
    const port = await freePort();
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    const failed = once(child, 'error').then(([error]: Error[]) => {
      throw new Error(`nats-server: ${error?.message}; the bench of a cluster needs it`);
    });
    await Promise.race([failed, answers(port)]);
    failed.catch(() => {});
    return new Nats(port, child, directory);
  }

  /** Of processor time, since its start. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid ?? 0);
  }

  /** Sections of the configuration of a store of the cluster. @param more keys of the section `cluster`. */
  sections(port: number, id: string, more: { partitions: number; replicas: number }): object {
    return {
      nats: { address: `nats://127.0.0.1:${this.port}` },
      cluster: {
        name: 'bench',
        id,
        advertise: `http://127.0.0.1:${port}`,
        ...more,
        'stream-replicas': 1,
        // NATS reserves them on its disk.
        'stream-max-bytes': Math.floor(STREAM_BYTES / more.partitions),
      },
    };
  }

  /** Removes what all streams hold but those of keys. */
  async purge(): Promise<void> {
    const connection = await connectNats({ servers: `127.0.0.1:${this.port}` });
    const manager = await connection.jetstreamManager();
    for await (const name of manager.streams.names()) if (name.startsWith('CCMS_')) await manager.streams.purge(name);
    await connection.close();
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answers(port: number): Promise<void> {
  for (const end = performance.now() + READY_MS; performance.now() < end; await sleep(10)) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`nats-server does not answer within ${READY_MS / 1000} s`);
}
