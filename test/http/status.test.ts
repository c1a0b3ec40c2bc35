/** What the server says about itself to whoever has a token: figures of the moment, and its configuration without secrets. */
import { describe, expect, it } from 'vitest';
import { natsStatus, newNatsState } from '../../src/nats/state.js';
import type { PartitionStats } from '../../src/store/store.js';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { tokenKey } from '../support/tokens.js';
import { start } from './harness.js';
import { MemoryStore } from './memory-store.js';

const partition = (number: number): PartitionStats => ({
  partition: number,
  worker: 0,
  lines: 10,
  stored: 7,
  skipped: 2,
  leftOut: 0,
  refused: 1,
  refusals: [
    {
      reason: 'bad_value',
      text: 'bad value',
      count: number + 1,
      example: { time: 100 + number, line: `line ${number}` },
    },
    { reason: 'no_host', text: 'no host', count: 0 },
  ],
  series: 5,
  hosts: 2,
  samples: 100,
  memory: { index: 1, openBlocks: 2, sealedBlocks: 3, rollups: 4, total: 10 },
  linearMemory: 65536,
  blocks: {},
  missingFiles: 0,
  log: { bytes: 11, segments: 1, writes: 1, syncs: 1, syncSeconds: 0.5, failed: null },
  checkpoint: { last: 1_700_000_000, seconds: 1, bytes: 2, count: 3 },
});

class CountedStore extends MemoryStore {
  counts = 0;
  override async stats(): Promise<PartitionStats[]> {
    this.counts++;
    return [partition(0), partition(1)];
  }
}

describe('GET /api/status', () => {
  it('adds up the partitions and names them', async () => {
    const store = new CountedStore();
    store.summaries = [{ cluster: 'alex', hosts: 4, series: 10, samples: 200, bytes: 1, blocks: {} }];
    const { port } = await start({ store, version: '1.2.3', commit: 'abc', nats: () => natsStatus(newNatsState()) });
    const answer = await ask(port, '/api/status');
    expect(answer.status).toBe(200);
    const status = JSON.parse(answer.body);
    expect(status).toMatchObject({
      version: '1.2.3',
      commit: 'abc',
      state: 'ready',
      clusters: ['alex'],
      hosts: 4,
      series: 10,
      samples: 200,
      lines: { read: 20, stored: 14, skipped: 4, refused: 2 },
      memory: { used: 20, cap: 0 },
      refusals: [{ reason: 'bad_value', text: 'bad value', count: 3, example: { time: 101, line: 'line 1' } }],
      nats: { connection: 'connecting', lastError: null },
    });
    expect(status.partitions.map((p: { partition: number }) => p.partition)).toEqual([0, 1]);
    expect(status.partitions[0].checkpoint.last).toBe(1_700_000_000);
    expect(status.time).toBeGreaterThanOrEqual(status.counted);
    expect(status.counted).toBeGreaterThanOrEqual(status.started);
  });

  it('counts once for all who look at the same time', async () => {
    const store = new CountedStore();
    const { port } = await start({ store });
    await Promise.all(Array.from({ length: 10 }, () => ask(port, '/api/status')));
    expect(store.counts).toBe(1);
  });

  it('asks the store again after a failure', async () => {
    const store = new CountedStore();
    store.stats = async () => {
      store.stats = async () => [partition(0)];
      throw new Error('away');
    };
    const { port } = await start({ store });
    expect((await ask(port, '/api/status')).status).toBe(500);
    expect((await ask(port, '/api/status')).status).toBe(200);
  });

  it('answers while the server loads, without figures', async () => {
    const store = new CountedStore();
    store.state = 'loading';
    const { port } = await start({ store });
    const answer = await ask(port, '/api/status');
    expect(JSON.parse(answer.body)).toMatchObject({ state: 'loading', series: 0, partitions: [], clusters: [] });
    expect(store.counts).toBe(0);
  });
});

describe('GET /api/config', () => {
  it('shows what was understood, and no secret', async () => {
    const config = {
      ...configWith({}, { backendUrl: 'http://user:password@backend' }),
      nats: { address: 'nats://user:password@there', username: 'somebody', password: 'something', credsFile: '/creds' },
    };
    const { port } = await start({ config });
    const answer = await ask(port, '/api/config');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      main: { token: false, tls: false, backendUrl: 'http://***@backend' },
      metrics: { cpu_load: { frequency: 60, aggregation: null, precision: 'double' } },
      store: { retentionSeconds: 172800, walSync: 'interval' },
      nats: { address: 'nats://***@there' },
      cluster: null,
    });
    expect(answer.body).not.toMatch(/password|somebody|something|creds/);
  });
});

it.each(['/api/status', '/api/config'])('%s wants a token where the server has a key', async (path) => {
  const { port } = await start({ config: configWith({}, { jwtPublicKey: Buffer.from(tokenKey().base64, 'base64') }) });
  const answer = await ask(port, path);
  expect([answer.status, answer.body.includes('cpu_load')]).toEqual([401, false]);
});
