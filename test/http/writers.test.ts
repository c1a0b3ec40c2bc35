import { describe, expect, it } from 'vitest';
import { Writers } from '../../src/http/writers.js';
import { ask } from '../support/client.js';
import { configWith } from '../support/config.js';
import { tokenKey } from '../support/tokens.js';
import { start } from './harness.js';
import { MemoryStore } from './memory-store.js';

const GOOD = { stored: 5, skipped: 0, refused: 0, refusals: [] };
const BAD = { stored: 1, skipped: 0, refused: 2, refusals: [{ line: 3, reason: 'no host' }] };

describe('Writers', () => {
  it('adds up by address, the latest first, and keeps the last error', () => {
    let now = 100;
    const writers = new Writers(() => now);
    writers.wrote('::ffff:10.0.0.1', GOOD);
    now = 101;
    writers.wrote('10.0.0.2', BAD);
    now = 102;
    writers.wrote('10.0.0.1', GOOD);
    writers.failed('10.0.0.2', new Error('x'.repeat(1000)));
    writers.wrote(undefined, GOOD);
    expect(writers.figures()).toEqual([
      { address: '10.0.0.2', writes: 2, stored: 1, refused: 2, last: 102, error: { time: 102, text: 'x'.repeat(300) } },
      { address: '10.0.0.1', writes: 2, stored: 10, refused: 0, last: 102, error: null },
    ]);
  });

  it('forgets who has been silent for longest, however many addresses there are', () => {
    const writers = new Writers();
    writers.wrote('faithful', GOOD);
    for (let i = 0; i < 5000; i++) {
      writers.wrote(`address ${i}`, GOOD);
      if (i % 100 === 0) writers.wrote('faithful', GOOD);
    }
    const figures = writers.figures();
    expect(figures).toHaveLength(1024);
    expect(figures.find(({ address }) => address === 'faithful')?.writes).toBe(51);
    expect(figures[0]?.address).toBe('address 4999');
  });
});

describe('GET /api/writers', () => {
  it('shows what came from where, and what was wrong with it', async () => {
    const store = new MemoryStore();
    const { port } = await start({ store });
    store.outcome = GOOD;
    await ask(port, '/api/write', { body: 'm,hostname=h value=1' });
    store.outcome = BAD;
    await ask(port, '/api/write', { body: 'm value=1' });
    const { writers } = JSON.parse((await ask(port, '/api/writers')).body) as { writers: unknown[] };
    expect(writers).toEqual([
      expect.objectContaining({
        address: '127.0.0.1',
        writes: 2,
        stored: 6,
        refused: 2,
        error: { time: expect.any(Number), text: 'line 3: no host' },
      }),
    ]);
  });

  it('knows nothing of those without a token, and tells them nothing', async () => {
    const { port } = await start({ config: configWith({}, { jwtPublicKey: tokenKey().raw }) });
    expect((await ask(port, '/api/write', { body: 'm,hostname=h value=1' })).status).toBe(401);
    expect((await ask(port, '/api/writers')).status).toBe(401);
  });
});
