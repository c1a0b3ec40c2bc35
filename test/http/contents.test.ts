import { expect, it } from 'vitest';
import { ask } from '../support/client.js';
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
  expect(JSON.parse((await ask(port, '/api/contents')).body)).toEqual({ contents: store.held });
  const one = await ask(port, '/api/contents?cluster=fritz');
  expect(JSON.parse(one.body)).toEqual({ contents: [{ cluster: 'fritz', ...part, level: '' }] });
  expect(counts).toBe(1);
  store.state = 'loading';
  expect((await ask(port, '/api/contents')).status).toBe(503);
});
