/** The unit that cc-metric-collector sends with each line is kept once a metric, the first one, over restarts too. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricUnits } from '../../src/persistence/metric-units.js';
import { ask } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';
import { TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const config = {
  metrics: {
    flops_any: { frequency: 60, aggregation: 'sum' },
    mem_used: { frequency: 60, aggregation: 'sum', unit: 'GB' },
    clock: { frequency: 60, aggregation: 'avg' },
    ipc: { frequency: 60, aggregation: 'avg' },
  },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 1, 'num-workers': 2 },
};

let server: ServerProcess;
afterEach(() => server?.stop());

async function units(): Promise<Record<string, string>> {
  const { body } = await ask(server.port, '/api/v1/metadata');
  const { data } = JSON.parse(body) as { data: Record<string, { unit: string }[]> };
  return Object.fromEntries(Object.entries(data).map(([name, [entry]]) => [name, entry?.unit ?? '']));
}

async function write(...lines: string[]): Promise<void> {
  const body = lines.map((line) => `${line} value=1 ${TIME}\n`).join('');
  expect((await ask(server.port, '/api/write?cluster=c', { body })).status).toBe(200);
}

describe('units of metrics', () => {
  it('are those of the configuration, else of the first line, whatever its host', async () => {
    server = await startServer(config);
    expect(await units()).toEqual({ flops_any: '', mem_used: 'GB', clock: '', ipc: '' });
    await write(
      'flops_any,hostname=h1,type=hwthread,type-id=0,unit=F/s',
      'flops_any,hostname=h1,type=hwthread,type-id=1,unit=GF/s',
      'mem_used,hostname=h1,type=node,unit=MB',
      'clock,hostname=h2,type=node,unit=M\\ Hz',
      'ipc,hostname=h1,type=node',
    );
    const known = { flops_any: 'F/s', mem_used: 'GB', clock: 'M Hz', ipc: '' };
    expect(await units()).toEqual(known);
    await write('flops_any,hostname=h2,type=node,unit=other');
    expect(await units()).toEqual(known);
  });

  it('are known after a restart, before any line has come', async () => {
    server = await startServer(config);
    await write('flops_any,hostname=h1,type=node,unit=F/s');
    server = await server.restart();
    expect((await units()).flops_any).toBe('F/s');
    await write('flops_any,hostname=h7,type=node,unit=GF/s', 'ipc,hostname=h7,type=node,unit=ratio');
    expect(await units()).toMatchObject({ flops_any: 'F/s', ipc: 'ratio' });
  });
});

describe('units.json', () => {
  it.each(['', '{"version":', 'null', '{"version":2,"units":{}}', '{"version":1,"units":{"a":1}}'])(
    'that holds %j is made anew, with a warning',
    async (content) => {
      const root = temporaryDirectory();
      const log = new KeptLog();
      mkdirSync(root, { recursive: true });
      writeFileSync(join(root, 'units.json'), content);
      const kept = new MetricUnits(root, log, async () => new Map([['flops_any', 'F/s']]));
      expect(await kept.all()).toEqual(new Map([['flops_any', 'F/s']]));
      expect(log.lines).toEqual([expect.stringMatching(/^warn .*units.json: .*it is made anew/)]);
      expect(readFileSync(join(root, 'units.json'), 'utf8')).toBe('{"version":1,"units":{"flops_any":"F/s"}}\n');
    },
  );
});
