import { expect, test } from 'vitest';
import { ask, configWith, start } from './harness.js';

const PUBLISHED_KEY = Buffer.from('kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'base64');

test('warming up asks the store past authentication and is not counted', async () => {
  const http = await start({ config: configWith({ jwtPublicKey: PUBLISHED_KEY }) });
  await http.warmUp();
  expect(http.store.queried.length).toBeGreaterThan(20);
  expect(http.store.queried.every(({ cluster }) => cluster === '')).toBe(true);
  expect(http.store.queried.some(({ forAllNodes }) => forAllNodes?.length)).toBe(true);
  expect(http.observed).toEqual([]);
  expect((await ask(http.port, '/api/query', { body: '{}' })).status).toBe(401);
});

test('warming up ends with the first answer that is none', async () => {
  const http = await start();
  http.store.state = 'stopping';
  await http.warmUp();
  expect(http.store.queried).toEqual([]);
});
