/**
 * The real server, `dist/server.js`, as a child process in a directory of its own: what tests of the whole start.
 * Build before: `npm run build`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SERVER = resolve(import.meta.dirname, '../../dist/server.js');

/** Milliseconds that a start may take; a machine full of other tests is slow. */
const START_LIMIT = 30_000;

export interface ServerOptions {
  /** Working directory; default: a fresh one below os.tmpdir(), removed when the test process ends. */
  dir?: string;
  /** Flags behind `-config FILE`; default: `-loglevel info`. */
  args?: string[];
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
}

export interface ServerProcess {
  port: number;
  /** `http://127.0.0.1:PORT`, or https with certificates in the config. */
  url: string;
  dir: string;
  pid: number;
  /** What the process has written to stderr and stdout until now. */
  log(): string;
  /** Ends the process; resolves with its exit status, null when a signal ended it. Default: SIGTERM. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends the process and starts it anew: same directory, config, port and flags. Default: SIGTERM. */
  restart(signal?: NodeJS.Signals): Promise<ServerProcess>;
  exited: Promise<number | null>;
}

const children = new Set<ChildProcess>();
const directories = new Set<string>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
});

/** A fresh directory, removed when the test process ends. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ccms-test-'));
  directories.add(dir);
  return dir;
}

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

/**
 * Starts the server and waits until /healthz answers 200.
 * @param config written to `dir`/config.json; main.addr is set to a free port when absent.
 * @throws Error with the log when the process ends or does not answer in time.
 */
export async function startServer(
  config: object | ((port: number) => object),
  options: ServerOptions = {},
): Promise<ServerProcess> {
  const dir = options.dir ?? temporaryDirectory();
  for (let attempt = 0; ; attempt++) {
    const port = await freePort();
    const given = structuredClone(typeof config === 'function' ? config(port) : config) as {
      main?: Record<string, unknown>;
    };
    const full = { ...given, main: { addr: `127.0.0.1:${port}`, ...given.main } };
    writeFileSync(join(dir, 'config.json'), JSON.stringify(full, null, 1));
    try {
      return await launch(dir, options);
    } catch (error) {
      // Another process took the port between the look and the start.
      if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function launch(dir: string, options: ServerOptions): Promise<ServerProcess> {
  if (!existsSync(SERVER)) throw new Error(`${SERVER} is missing: run "npm run build" first`);
  const { main } = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as { main: Record<string, string> };
  const port = Number(main.addr?.slice(main.addr.lastIndexOf(':') + 1));
  const url = `${main['https-cert-file'] ? 'https' : 'http'}://127.0.0.1:${port}`;
  const args = [SERVER, '-config', join(dir, 'config.json'), ...(options.args ?? ['-loglevel', 'info'])];
  const child = spawn(process.execPath, args, {
    cwd: dir,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const exited = new Promise<number | null>((done) => {
    child.once('close', (code) => {
      children.delete(child);
      done(code);
    });
  });
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  const limit = Date.now() + START_LIMIT;
  while (!(await isReady(url))) {
    if (!ended && Date.now() < limit) {
      await new Promise((go) => setTimeout(go, 20));
      continue;
    }
    const why = ended ? 'ended' : `did not answer within ${START_LIMIT} ms`;
    await stop('SIGKILL');
    throw new Error(`the server in ${dir} ${why}:\n${text}`);
  }
  // Whoever answered may be another process on a port that this one failed to bind.
  if (child.exitCode !== null) throw new Error(`the server in ${dir} ended:\n${text}`);
  return {
    port,
    url,
    dir,
    pid: child.pid ?? 0,
    log: () => text,
    stop,
    restart: async (signal) => {
      await stop(signal);
      return launch(dir, options);
    },
    exited,
  };
}

function isReady(url: string): Promise<boolean> {
  return new Promise((answer) => {
    const send = url.startsWith('https') ? requestTls : request;
    const asking = send(`${url}/healthz`, { rejectUnauthorized: false, agent: false, timeout: 5000 }, (response) => {
      response.resume();
      answer(response.statusCode === 200);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => answer(false));
    asking.end();
  });
}
