import { expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { start } from './harness.js';
import { MemoryStore } from './memory-store.js';

it('shows what is held, of one cluster or of all, counted once for all who ask', async () => {
  const store = new MemoryStore();
  const part = { metric: 'ipc', level: 'hwthread', series: 72, samples: 100, bytes: 500, blocks: { split: 1 } };
  store.held = [
    { cluster: 'alex', ...part },
    { cluster: 'fritz', ...part, level: '' },
  ];
  let counts = 0;
  const contents = store.contents.bind(store);
  store.contents = () => {
    counts++;
    return contents();
  };
  const { port } = await start({ store });
  expect(JSON.parse((await ask(port, '/api/contents')).body)).toMatchObject({ contents: store.held });
  const one = await ask(port, '/api/contents?cluster=fritz');
  expect(JSON.parse(one.body)).toMatchObject({ contents: [{ cluster: 'fritz', ...part, level: '' }] });
  expect(counts).toBe(1);
  store.state = 'loading';
  expect((await ask(port, '/api/contents')).status).toBe(503);
});

it('says what the series of now will come to, as -check-config estimates it', async () => {
  const store = new MemoryStore();
  const part = { level: '', samples: 1, bytes: 8, blocks: {} };
  store.held = [
    { cluster: 'alex', metric: 'cpu_load', series: 70, ...part },
    { cluster: 'fritz', metric: 'cpu_load', series: 30, ...part },
    { cluster: 'alex', metric: 'no longer configured', series: 1000, ...part },
  ];
  const config = configWith({ retentionSeconds: 86_400 });
  const { port } = await start({ store, config });
  const { fullRetention } = JSON.parse((await ask(port, '/api/contents?cluster=alex')).body);
  expect(fullRetention).toEqual({ series: 100, samples: 144_000, bytes: 150e6 + 100 * 512 + 144_000 * 5 });
});
