/** The port is open before the server's code is read: whoever connects then waits, and is answered. */
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { freePort } from '../support/ports.js';
import { startProcess, type TestProcess } from '../support/processes.js';
import { config, TIME } from '../support/server-config.js';
import { until } from '../support/wait.js';

const SERVER = resolve(import.meta.dirname, '../../dist/server.js');
const LINE = `cpu_load,cluster=c,hostname=h1,type=node value=1 ${TIME}\n`;

function start(dir: string, setup: object, env: Record<string, string> = {}): TestProcess {
  writeFileSync(join(dir, 'config.json'), JSON.stringify(setup));
  return startProcess(process.execPath, [SERVER, '-config', 'config.json', '-loglevel', 'debug'], { cwd: dir, env });
}

/** Starts one that reads no more of its program than its entry before `read` is called. Resolves when it waits for that. */
async function startUnread(dir: string, setup: object): Promise<{ server: TestProcess; read(): void }> {
  const gate = join(dir, 'gate');
  writeFileSync(gate, '');
  const server = start(dir, setup, {
    NODE_OPTIONS: `--import=${resolve(import.meta.dirname, '../support/gated-modules.mjs')}`,
    CCMS_GATE: gate,
    CCMS_GATED_MODULES: '/(chunk-)?main\\.js$',
  });
  await until(
    () => existsSync(`${gate}.held`),
    () => `the server to wait for its modules:\n${server.log}`,
  );
  return { server, read: () => rmSync(gate) };
}

/** Resolves as soon as a connection is accepted. */
async function accepted(port: number, server: TestProcess): Promise<void> {
  const tried = (): Promise<boolean> =>
    new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      });
      socket.on('error', () => done(false));
    });
  await until(tried, () => `a connection to be accepted:\n${server.log}`);
}

describe('the port', () => {
  it('is open before the program is read, and a write of then is stored', async () => {
    const port = await freePort();
    const { server, read } = await startUnread(temporaryDirectory(), config({ addr: `127.0.0.1:${port}` }));
    await accepted(port, server);
    const answer = write(port, LINE);
    read();
    expect((await answer).status).toBe(200);
    await server.stop('SIGKILL');
  });

  it('is so with TLS too', async () => {
    const dir = temporaryDirectory();
    for (const file of ['key.pem', 'cert.pem']) {
      copyFileSync(resolve(import.meta.dirname, '../http/tls', file), join(dir, file));
    }
    const port = await freePort();
    const tls = { 'https-cert-file': 'cert.pem', 'https-key-file': 'key.pem' };
    const { server, read } = await startUnread(dir, config({ addr: `127.0.0.1:${port}`, ...tls }));
    await accepted(port, server);
    read();
    const status = await new Promise<number | undefined>((done, fail) => {
      const asking = requestTls(
        { host: '127.0.0.1', port, path: '/api/write', method: 'POST', rejectUnauthorized: false, agent: false },
        (response) => done(response.resume().statusCode),
      );
      asking.on('error', fail);
      asking.end(LINE);
    });
    expect(status).toBe(200);
    await server.stop('SIGKILL');
  });

  it('closes again when the configuration is wrong', async () => {
    const port = await freePort();
    const setup = { ...config({ addr: `127.0.0.1:${port}` }), metrics: { m: {} } };
    const server = start(temporaryDirectory(), setup);
    expect(await server.exited).toMatchObject({ status: 1 });
    expect(server.log).toContain('metrics.m.frequency');
    await expect(write(port, LINE)).rejects.toThrow('ECONNREFUSED');
  });
});
