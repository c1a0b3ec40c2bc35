/** Starts whose parts run side by side: threads and files before the port, or no threads at all. */
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { query, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const LINES = Array.from({ length: 20 }, (_, i) => `cpu_load,cluster=c,hostname=h${i},type=node value=${i} ${TIME}\n`);

/** What the hosts' series hold, in order. */
async function values({ port }: ServerProcess): Promise<unknown[]> {
  const queries = LINES.map((_, i) => ({ metric: 'cpu_load', host: `h${i}` }));
  const { results } = await query(port, { cluster: 'c', from: TIME, to: TIME + 60, queries });
  return results.map((series) => series[0]?.data?.[0]);
}

const ALL = LINES.map((_, i) => i);

describe('a start', () => {
  it.each([0, 1, 3])('with %d workers brings back what was acknowledged', async (workers) => {
    const server = await startServer(config({}, { 'num-workers': workers }));
    expect((await write(server.port, LINES.join(''))).status).toBe(200);
    const second = await server.restart('SIGKILL');
    expect(await values(second)).toEqual(ALL);
    const third = await second.restart('SIGTERM');
    expect(await values(third)).toEqual(ALL);
    expect(await third.stop()).toBe(0);
  });

  it.each([0, 2])('in a directory that is in use ends, with %d workers, and says whose it is', async (workers) => {
    const dir = temporaryDirectory();
    const setup = config({}, { 'num-workers': workers });
    const server = await startServer(setup, { dir });
    expect((await write(server.port, LINES.join(''))).status).toBe(200);
    await expect(startServer(setup, { dir })).rejects.toThrow(
      new RegExp(`ended:\\s+<2>\\[CRIT\\] server: .*in use by process ${server.pid}`),
    );
    expect(await values(server)).toEqual(ALL);
    expect(await server.stop()).toBe(0);
  });

  it('whose port is taken ends although its workers load already, and leaves the directory to the next', async () => {
    const dir = temporaryDirectory();
    const server = await startServer(config(), { dir });
    expect((await write(server.port, LINES.join(''))).status).toBe(200);
    await server.stop('SIGKILL');
    const other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    const addr = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(startServer(config({ addr }), { dir })).rejects.toThrow(/ended:\s+<2>\[CRIT\] server: .*EADDRINUSE/);
    other.close();
    const next = await startServer(config(), { dir });
    expect(await values(next)).toEqual(ALL);
    expect(await next.stop()).toBe(0);
  });
});
