import { expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { start } from './harness.js';
import { MemoryStore } from './memory-store.js';

it('lists the nodes of a cluster, asking the store once for all who look at the same time', async () => {
  const store = new MemoryStore();
  store.spans = [{ node: 'f1', series: 5, oldest: 100, newest: 200, frequency: 60 }];
  const asked: string[] = [];
  const nodes = store.nodes.bind(store);
  store.nodes = (cluster) => {
    asked.push(cluster);
    return nodes(cluster);
  };
  const { port } = await start({ store });
  const answers = await Promise.all([1, 2, 3].map(() => ask(port, '/api/nodes?cluster=alex')));
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ time: expect.any(Number), nodes: store.spans });
  }
  await ask(port, '/api/nodes?cluster=fritz');
  expect(asked).toEqual(['alex', 'fritz']);
});

it('remembers no more clusters than clients may think of', async () => {
  const store = new MemoryStore();
  let asked = 0;
  store.nodes = async () => {
    asked++;
    return [];
  };
  const { port } = await start({ store });
  for (let i = 0; i < 200; i++) await ask(port, `/api/nodes?cluster=c${i}`);
  await ask(port, '/api/nodes?cluster=c199');
  expect(asked).toBe(200);
  await ask(port, '/api/nodes?cluster=c0');
  expect(asked).toBe(201);
});

it('wants a cluster and a store that is ready', async () => {
  const store = new MemoryStore();
  const { port } = await start({ store });
  const answer = await ask(port, '/api/nodes');
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([
    400,
    'the parameter "cluster" is missing: expected its name',
  ]);
  store.state = 'loading';
  expect((await ask(port, '/api/nodes?cluster=alex')).status).toBe(503);
});
