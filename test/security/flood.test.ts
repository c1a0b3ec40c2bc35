/** Many distinct names: what a line costs does not grow with what is stored, and no set of names is worse than another. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure, write } from '../support/client.js';
import { seeded } from '../support/random.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

let server: ServerProcess;
/** Seconds of CPU for a batch of lines whose hosts are known and few. */
let plain: number;
beforeAll(async () => {
  // One worker: its CPU time is what is measured, and hosts of a flood may all fall into one partition anyway.
  server = await startServer(config({}, { 'num-workers': 1 }));
  // So many that clock ticks of 10 ms do not count.
  const batches = 200;
  plain = (await cost((i) => `cpu_load,cluster=plain,hostname=n${i % 100} value=1 ${TIME}`, batches)) / batches;
});
afterAll(() => server.stop());

const BATCH = 10_000;
const BATCHES = 10;

/** Seconds of CPU that the process has used, in user and kernel mode. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Seconds of CPU that batches cost. */
async function cost(line: (i: number) => string, batches = BATCHES): Promise<number> {
  const before = cpuSeconds(server.pid);
  for (let batch = 0; batch < batches; batch++) {
    const body = Array.from({ length: BATCH }, (_, i) => line(batch * BATCH + i)).join('\n');
    expect((await write(server.port, body)).status).toBe(200);
  }
  return cpuSeconds(server.pid) - before;
}

const next = seeded(20261124);
/** Differs from others in few bits, and they are the high ones: the enemy of weak hash functions. */
const sparse = (i: number): string => Array.from({ length: 17 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join('');

describe('100 000 distinct', () => {
  it.each<[string, (i: number) => string]>([
    ['hosts', (i) => `cpu_load,cluster=f1,hostname=n${i} value=1 ${TIME}`],
    [
      'hosts whose names collide in Java and its like',
      (i) => `cpu_load,cluster=f2,hostname=${sparse(i)} value=1 ${TIME}`,
    ],
    ['clusters', (i) => `cpu_load,cluster=f3${i},hostname=n value=1 ${TIME}`],
    ['levels of one host', (i) => `cpu_load,cluster=f4,hostname=n,type=hwthread,type-id=${i} value=1 ${TIME}`],
    [
      'sublevels of one level',
      (i) => `cpu_load,cluster=f5,hostname=n,type=socket,type-id=0,stype=core,stype-id=${i} value=1 ${TIME}`,
    ],
    ['spellings of one series', (i) => `cpu_load,cluster=f6,hostname=n,jobid=${i} value=1 ${TIME}`],
    ['long names', (i) => `cpu_load,cluster=f7,hostname=${'x'.repeat(200)}${i} value=1 ${TIME}`],
    ['unknown metrics', (i) => `m${i},cluster=f8,hostname=n value=1 ${TIME}`],
    ['bad lines', (i) => (i === 0 ? '' : `#${next()}`)],
  ])('%s are stored at a cost that does not grow with them', async (_, line) => {
    // A name that is new costs up to 30 times one that is known. With a list or a chain in the way it would be thousands.
    expect((await cost(line)) / BATCHES / plain).toBeLessThan(300);
  });

  it('spellings of one series are forgotten: memory does not grow with them', async () => {
    const memory = () => figure(server.port, 'ccms_memory_bytes');
    await cost((i) => `cpu_load,cluster=g,hostname=n,jobid=${i} value=1 ${TIME}`);
    const before = await memory();
    await cost((i) => `cpu_load,cluster=g,hostname=n,jobid=${1e6 + i} value=1 ${TIME}`);
    expect(before).toBeGreaterThan(0);
    expect((await memory()) - before).toBeLessThan(100_000);
    const { body } = await ask(server.port, '/api/debug?selector=g');
    expect(JSON.parse(body)).toMatchObject({ data: { n: { cpu_load: [{ start: TIME - 30 }] } } });
  });

  it('clusters are summed up in one pass: the summary takes no longer for being asked about many', async () => {
    const { body } = await ask(server.port, '/api/debug?summary=1');
    const { clusters } = JSON.parse(body) as { clusters: Record<string, Record<string, number>> };
    expect(Object.keys(clusters).length).toBeGreaterThan(100_000);
    expect(clusters.f30).toMatchObject({ hosts: 1, series: 1, samples: 1 });
    expect(clusters.f4).toMatchObject({ hosts: 1, series: 100_000, samples: 100_000 });
  });

  it('hosts leave the server answering', async () => {
    expect((await ask(server.port, '/healthz')).status).toBe(200);
    expect((await write(server.port, `cpu_load,cluster=g,hostname=n value=1 ${TIME}`)).status).toBe(200);
  });
});
