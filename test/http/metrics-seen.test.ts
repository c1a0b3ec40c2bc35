import { expect, it } from 'vitest';
import { suggestedMetric } from '../../src/config/suggested-metric.js';
import { ask } from '../support/client.js';
import { start } from './harness.js';
import { MemoryStore } from './memory-store.js';

it('lists metrics that are not configured, with entries for those whose frequency is known', async () => {
  const store = new MemoryStore();
  const ipc = { metric: 'ipc', samples: 15, step: 59, levels: ['', 'hwthread'], newest: 1e9, example: 'ipc,host=h' };
  store.unknown = { metrics: [ipc, { ...ipc, metric: 'once', step: 0, levels: [] }], forgotten: 3 };
  const { port } = await start({ store });
  const shown = {
    metric: 'ipc',
    samples: 15,
    frequency: 59,
    levels: ['node', 'hwthread'],
    newest: 1e9,
    example: ipc.example,
  };
  expect(JSON.parse((await ask(port, '/api/metrics-seen')).body)).toEqual({
    unconfigured: [shown, { ...shown, metric: 'once', frequency: null, levels: [] }],
    forgotten: 3,
    metrics: { ipc: { frequency: 60, aggregation: 'avg' } },
  });
  store.state = 'loading';
  expect((await ask(port, '/api/metrics-seen')).status).toBe(503);
});

it.each([
  ['mem_bw', 60, true, { frequency: 60, aggregation: 'sum' }],
  ['flops_any', 1, true, { frequency: 1, aggregation: 'sum' }],
  ['acc_power', 7, true, { frequency: 7, aggregation: 'sum' }],
  ['net_bytes_recv', 11, true, { frequency: 10, aggregation: 'sum' }],
  ['mem_used_percent', 61, true, { frequency: 60, aggregation: 'avg' }],
  ['cpu_user', 3598, true, { frequency: 3600, aggregation: 'avg' }],
  ['clock', 30, true, { frequency: 30, aggregation: 'avg' }],
  ['mem_bw', 60, false, { frequency: 60, aggregation: null }],
])('suggests for %s every %i s, below the node %s', (name, step, isBelowNode, expected) => {
  expect(suggestedMetric(name, step, isBelowNode)).toEqual(expected);
});
