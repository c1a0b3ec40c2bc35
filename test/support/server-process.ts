/**
 * The real server, `dist/server.js`, as a child process in a directory of its own: what tests of the whole start.
 * Build before: `npm run build`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { join, resolve } from 'node:path';
import { temporaryDirectory } from './directories.js';
import { LIMIT } from './limits.js';
import { freePort } from './ports.js';
import { startProcess } from './processes.js';
import { until } from './wait.js';

const SERVER = resolve(import.meta.dirname, '../../dist/server.js');

export interface ServerOptions {
  /** Program and first arguments; default: this Node and dist/server.js. */
  command?: readonly string[];
  /** Working directory; default: a fresh `temporaryDirectory()`. */
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
  const [program = '', ...first] = options.command ?? [process.execPath, SERVER];
  if (!options.command && !existsSync(SERVER)) throw new Error(`${SERVER} is missing: run "npm run build" first`);
  const { main } = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')) as { main: Record<string, string> };
  const port = Number(main.addr?.slice(main.addr.lastIndexOf(':') + 1));
  const url = `${main['https-cert-file'] ? 'https' : 'http'}://127.0.0.1:${port}`;
  const args = [...first, '-config', join(dir, 'config.json'), ...(options.args ?? ['-loglevel', 'info'])];
  const server = startProcess(program, args, {
    cwd: dir,
    name: `server in ${dir}`,
    ...(options.env && { env: options.env }),
  });
  try {
    await until(
      async () => server.ended !== undefined || (await isReady(url)),
      () => `the server in ${dir} to be ready:\n${server.log}`,
    );
  } catch (error) {
    await server.stop('SIGKILL');
    throw error;
  }
  // Whoever answered may be another process on a port that this one failed to bind.
  if (server.ended) throw new Error(`the server in ${dir} ended:\n${server.log}`);
  const stop = async (signal?: NodeJS.Signals): Promise<number | null> => (await server.stop(signal)).status;
  return {
    port,
    url,
    dir,
    pid: server.pid,
    log: () => server.log,
    stop,
    restart: async (signal) => {
      await stop(signal);
      return launch(dir, options);
    },
    exited: server.exited.then(({ status }) => status),
  };
}

function isReady(url: string): Promise<boolean> {
  return new Promise((answer) => {
    const send = url.startsWith('https') ? requestTls : request;
    const asking = send(`${url}/healthz`, { rejectUnauthorized: false, agent: false, timeout: LIMIT }, (response) => {
      response.resume();
      answer(response.statusCode === 200);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => answer(false));
    asking.end();
  });
}
