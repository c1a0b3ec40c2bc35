/** Many distinct names: what a line costs does not grow with what is stored, and no set of names is worse than another. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure, write } from '../support/client.js';
import { seeded } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { config, TIME } from './fixtures.js';

let server: ServerProcess;
beforeAll(async () => {
  // One worker: its CPU time is what is measured, and hosts of a flood may all fall into one partition anyway.
  server = await startServer(config({}, { 'num-workers': 1 }));
});
afterAll(() => server.stop());

const BATCH = 10_000;
const BATCHES = 10;

/** Seconds of CPU that the process has used, in user and kernel mode. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Seconds of CPU that each batch cost. */
async function costs(line: (i: number) => string): Promise<number[]> {
  const seconds: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const body = Array.from({ length: BATCH }, (_, i) => line(batch * BATCH + i)).join('\n');
    const before = cpuSeconds(server.pid);
    expect((await write(server.port, body)).status).toBe(200);
    seconds.push(cpuSeconds(server.pid) - before);
  }
  return seconds;
}

const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
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
  ])('%s cost the same from the first line to the last', async (_, line) => {
    const seconds = await costs(line);
    const [early, late] = [mean(seconds.slice(1, 4)), mean(seconds.slice(-3))];
    // With a list or a chain in the way, the last batches would cost 10 and more times the first. Clock ticks are 10 ms.
    expect(late, `seconds a batch: ${seconds.map((s) => s.toFixed(2)).join(' ')}`).toBeLessThan(3 * early + 0.05);
    expect(mean(seconds)).toBeLessThan(0.5);
  });

  it('spellings of one series are forgotten: memory does not grow with them', async () => {
    const memory = () => figure(server.port, 'ccms_memory_bytes');
    await costs((i) => `cpu_load,cluster=g,hostname=n,jobid=${i} value=1 ${TIME}`);
    const before = await memory();
    await costs((i) => `cpu_load,cluster=g,hostname=n,jobid=${1e6 + i} value=1 ${TIME}`);
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
    const begin = performance.now();
    expect((await ask(server.port, '/healthz')).status).toBe(200);
    expect((await write(server.port, `cpu_load,cluster=g,hostname=n value=1 ${TIME}`)).status).toBe(200);
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});
