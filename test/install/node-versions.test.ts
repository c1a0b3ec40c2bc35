/** The server runs on each version of Node that README names, and each reads what another has left. */
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { nodeVersions } from '../support/node-versions.js';
import { startServer } from '../support/server-process.js';

const SERVER = resolve('dist/server.js');
const CONFIG = {
  metrics: { cpu_load: { frequency: 60, aggregation: 'avg' } },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 1, checkpoints: {} },
};

it('serves on Node 24, 22 and 20, on the same directory, after kill -9 as well', { timeout: 180_000 }, async () => {
  const dir = temporaryDirectory();
  const start = Math.floor(Date.now() / 60_000) * 60 - 600;
  const expected: number[] = [];
  const versions = nodeVersions();
  expect(versions.map(({ major }) => major)).toEqual([24, 22, 20]);
  // The last one reads what the others left, and the first what the last did.
  for (const [i, { path }] of [...versions, ...versions].entries()) {
    const server = await startServer(CONFIG, { command: [path, SERVER], dir });
    const body = `cpu_load,hostname=h1 value=${i} ${start + 60 * i}`;
    expect((await fetch(`${server.url}/api/write?cluster=c`, { method: 'POST', body })).status).toBe(200);
    expected.push(i);
    const queries = [{ metric: 'cpu_load', host: 'h1' }];
    const asked = { cluster: 'c', from: start, to: start + 60 * (i + 1), queries };
    const answer = await fetch(`${server.url}/api/query`, { method: 'POST', body: JSON.stringify(asked) });
    expect(await answer.json()).toMatchObject({ results: [[{ data: expected }]] });
    const status = await server.stop(i % 2 ? 'SIGKILL' : 'SIGTERM');
    expect(status).toBe(i % 2 ? null : 0);
    expect(server.log()).not.toMatch(/\[(WARN|ERR|CRIT)\]|Warning/);
  }
});
