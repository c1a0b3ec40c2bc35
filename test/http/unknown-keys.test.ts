import { describe, expect, it } from 'vitest';
import { unknownKeyHint } from '../../src/http/body/unknown-keys.js';
import { ask } from '../support/client.js';
import { start } from './harness.js';

describe('the hint on unknown keys of a query', () => {
  it.each([
    [{ cluster: 'c', queries: [{ metric: 'm', host: 'h', 'type-ids': ['1'] }, null] }, undefined],
    [{ queries: [{ hostname: 'h' }] }, 'queries[0].hostname is ignored, host is meant'],
    [{ queries: [{ host: 'h' }, { type_ids: [] }] }, 'queries[1].type_ids is ignored, type-ids is meant'],
    [{ With_Stats: true, queries: [{ x: 1 }] }, 'With_Stats is ignored, with-stats is meant; queries[0].x is ignored'],
    [{ 'a\r\nb: c': 1 }, 'a key is ignored'],
    [{ a: 1, b: 1, c: 1, d: 1 }, 'a is ignored; b is ignored; c is ignored'],
  ])('of %j', (body, hint) => {
    expect(unknownKeyHint(body)).toBe(hint);
  });

  it('is a header of the answer, which is as ever', async () => {
    const { port } = await start();
    const bodyOf = (key: string) =>
      JSON.stringify({ cluster: 'c', from: 0, to: 60, queries: [{ metric: 'm', [key]: 'h' }] });
    const right = await ask(port, '/api/query', { body: bodyOf('host') });
    const wrong = await ask(port, '/api/query', { body: bodyOf('hostname') });
    expect([right.status, right.headers['x-query-hint']]).toEqual([200, undefined]);
    expect([wrong.status, wrong.headers['x-query-hint']]).toEqual([
      200,
      'queries[0].hostname is ignored, host is meant',
    ]);
  });
});
