/** A server under test: its process, its directory, and what /proc says about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BodyForm, metricsConfig } from './mix.js';
import { type Access, type Answer, Connection, EMPTY_QUERY, requestBytes, tokenHeader } from './wire.js';

/** What a server needs for an `Access`. */
export interface ServerKeys {
  /** The raw Ed25519 key of tokens, as the configuration has it. */
  publicKey: string;
  /** Paths of PEM files. */
  certificate: string;
  key: string;
}

export interface ServerOptions {
  /** What to run; `{config}` stands for the config file. Words are split at spaces, no shell in between. */
  command: string;
  /** Seconds between samples. */
  frequency: number;
  /** Go duration. */
  checkpointInterval?: string;
  /** How it is reached; absent: plainly, without tokens. */
  access?: Access & ServerKeys;
  /** Of the bodies that it will be sent; default: lines of one field. */
  form?: BodyForm;
  /** Worker threads of ours; absent: its default. The peer may not know the key. */
  workers?: number;
  /** Further sections of the configuration. */
  sections?: (port: number) => object;
}

/** Ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux. */
const TICKS = 100;
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 2;
const STOP_TIMEOUT_MS = 120_000;

export class Server {
  private constructor(
    private readonly command: string[],
    readonly dir: string,
    readonly port: number,
    private child: ChildProcess,
    private readonly access: Access | undefined,
  ) {}

  /** Starts the server in a directory of its own and waits until it answers. */
  static async start(options: ServerOptions): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), 'ccms-bench-'));
    const port = await freePort();
    const config = join(dir, 'config.json');
    writeFileSync(config, JSON.stringify(configOf(options, port)));
    const command = options.command.split(/\s+/).map((word) => word.replaceAll('{config}', config));
    const server = new Server(command, dir, port, launch(command, dir), options.access);
    try {
      await server.ready();
    } catch (error) {
      await server.discard();
      throw error;
    }
    return server;
  }

  /** Starts it again in the same directory. @returns seconds until `probe`, a query, gives data */
  async restart(probe: string): Promise<number> {
    const began = performance.now();
    this.child = launch(this.command, this.dir);
    await this.ready(probe);
    return (performance.now() - began) / 1000;
  }

  /** Waits until the query route answers 200, with data if `probe` is given, and nothing is left to be loaded. */
  private async ready(probe?: string): Promise<void> {
    const body = probe ?? EMPTY_QUERY;
    const request = requestBytes('GET', '/api/query', body, tokenHeader(this.access));
    const giveUp = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < giveUp) {
      if (this.child.exitCode !== null) throw new Error(`the server exited: ${this.command.join(' ')} in ${this.dir}`);
      const answer = await this.ask(request).catch(() => undefined);
      const answers = answer?.status === 200 && (probe === undefined || /"data":\s*\[\s*[^\s\]]/.test(answer.body));
      // The peer may not have this route, and answer 404.
      if (answers && (await this.ask(requestBytes('GET', '/healthz', ''))).status !== 503) return;
      await sleep(POLL_MS);
    }
    throw new Error(
      `the server is not ready after ${READY_TIMEOUT_MS / 1000} s: ${this.command.join(' ')} in ${this.dir}`,
    );
  }

  /** Asks over a connection of its own. @throws Error when nobody answers */
  async ask(request: Buffer): Promise<Answer> {
    const connection = await Connection.open(this.port, { tls: this.access?.tls });
    try {
      return await connection.send(request, true);
    } finally {
      connection.close();
    }
  }

  /** Whether it takes lines of several fields, as `?fields=all` of ours asks for. */
  async takesFields(): Promise<boolean> {
    const body = 'node,host=probe cpu_load=1,mem_used=2\n';
    return (await this.ask(requestBytes('POST', '/api/write?cluster=probe&fields=all', body))).status === 200;
  }

  /** The text of /metrics; empty where there is none. */
  async metrics(): Promise<string> {
    const answer = await this.ask(requestBytes('GET', '/metrics', ''));
    return answer.status === 200 ? answer.body : '';
  }

  /** Processor seconds so far, user and system. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.child.pid ?? 0);
  }

  /** Resident bytes now. */
  residentBytes(): number {
    return this.memory('VmRSS');
  }

  /** The most resident bytes since its start, or since the peak was forgotten. */
  peakBytes(): number {
    return this.memory('VmHWM');
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.child.pid}/clear_refs`, '5');
  }

  private memory(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
  }

  /** Bytes of all files it keeps. */
  diskBytes(): number {
    const entries = readdirSync(this.dir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== 'config.json');
    return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Removes all that a killed one has kept. */
  clear(): void {
    rmSync(join(this.dir, 'var'), { recursive: true, force: true });
  }

  /** A clean stop. @returns seconds until the process was gone */
  async stop(): Promise<number> {
    const began = performance.now();
    await this.signal('SIGTERM');
    return (performance.now() - began) / 1000;
  }

  /** Ends it and removes its directory. */
  async discard(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async signal(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    child.kill(signal);
    await gone;
  }
}

function launch(command: readonly string[], dir: string): ChildProcess {
  const [program = '', ...argv] = command;
  const child = spawn(program === 'node' ? process.execPath : program, argv, {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.on('error', (error) => process.stderr.write(`cannot run ${program}: ${error.message}\n`));
  // A bench that is stopped leaves no server behind.
  const end = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', end);
  child.on('exit', () => process.off('exit', end));
  return child;
}

function configOf(
  { frequency, checkpointInterval, workers, access, form, sections }: ServerOptions,
  port: number,
): object {
  return {
    ...sections?.(port),
    main: {
      addr: `127.0.0.1:${port}`,
      ...(access && { 'jwt-public-key': access.publicKey }),
      ...(access?.tls && { 'https-cert-file': access.certificate, 'https-key-file': access.key }),
    },
    metrics: metricsConfig(frequency, form),
    'metric-store': {
      checkpoints: { 'file-format': 'wal', directory: './var/checkpoints' },
      'checkpoint-interval': checkpointInterval ?? '12h',
      'memory-cap': 16,
      'retention-in-memory': '480h',
      cleanup: { mode: 'delete' },
      ...(workers === undefined ? {} : { 'num-workers': workers }),
    },
  };
}

/** Processor seconds that a process has used, user and system. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

export async function freePort(): Promise<number> {
  // Closed by this side first it stays in TIME_WAIT: for a minute the kernel gives it only to those who name it.
  const probe = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(connect(port, '127.0.0.1').resume(), 'close');
  probe.close();
  await once(probe, 'close');
  return port;
}
