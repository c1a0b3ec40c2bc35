/** The code of docs/notebooks.md does what it says, as it stands there. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { python } from '../support/python.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { bearer, token, tokenKey } from '../support/tokens.js';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/notebooks.md'), 'utf8');
const [setup = '', ...blocks] = [...page.matchAll(/```python\n(.*?)```/gs)].map(([, code]) => code ?? '');

const key = tokenKey();
const jwt = token(key, { user: 'notebook' });
let server: ServerProcess;
let directory: string;

beforeAll(async () => {
  directory = temporaryDirectory();
  server = await startServer((port) => ({
    main: { addr: `127.0.0.1:${port}`, 'jwt-public-key': key.base64 },
    metrics: {
      flops_any: { frequency: 60, aggregation: 'sum' },
      cpu_power: { frequency: 60, aggregation: 'sum' },
    },
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 1, 'num-workers': 1 },
  }));
  let text = '';
  for (let minute = 0; minute < 30; minute++) {
    for (const [number, host] of ['a0001', 'a0002'].entries()) {
      const tags = `hostname=${host},type=hwthread`;
      for (let thread = 0; thread < 72; thread++) {
        text += `flops_any,${tags},type-id=${thread} value=${100 * (number + 1) + thread} ${TIME + 60 * minute}\n`;
      }
      text += `cpu_power,hostname=${host},type=node value=250 ${TIME + 60 * minute}\n`;
    }
  }
  const written = await ask(server.port, '/api/write?cluster=alex', { body: text, headers: bearer(jwt) });
  expect(written.status).toBe(200);
});
afterAll(() => server.stop());

/** What a block of the page prints. */
function run(code: string): Promise<string> {
  const given = `url, token = ${JSON.stringify(server.url)}, ${JSON.stringify(jwt)}\n`;
  const times = `start, end, hosts = ${TIME}, ${TIME + 1800}, ["a0001", "a0002"]\n`;
  return python(['-c', `import os\nos.chdir(${JSON.stringify(directory)})\n${given}${times}${setup}${code}`]);
}

describe('docs/notebooks.md', () => {
  const expected = [
    /a0001 +135\.5\na0002 +235\.5/,
    /a0001 +┆ 0 +┆ 100\.0/,
    /a0001 +│ +135\.5 │/,
    /alex +┆ .* ┆ 500\.0/,
  ];

  it('has a block for each library and for PromQL', () => expect(blocks).toHaveLength(expected.length));

  for (const [number, pattern] of expected.entries()) {
    it(`block ${number + 1} works`, async () => expect(await run(blocks[number] ?? '')).toMatch(pattern));
  }
});
