import { describe, expect, it } from 'vitest';
import { dump } from '../../src/store/query/dump.js';
import { WHOLE } from '../../src/store/query/sizes.js';
import { StoreError } from '../../src/store/store.js';
import { textOf } from '../support/answer-text.js';
import { FakeClient, placementOf } from './fake-client.js';

/** Partitions by index: cluster → the object that the partition answers, undefined: it does not have the cluster. */
type Partitions = Record<string, string>[];

function client(partitions: Partitions, pieceBytes?: number): FakeClient {
  return new FakeClient(({ partition, request }) => {
    const [cluster = ''] = JSON.parse(Buffer.from(request).toString()) as string[];
    const text = partitions[partition]?.[cluster];
    if (text === undefined) throw new StoreError('NOT_FOUND', 'not found');
    return { text, marks: [] };
  }, pieceBytes);
}

async function dumped(selector: string[], partitions: Partitions, pieceBytes?: number): Promise<unknown> {
  const one = client(partitions, pieceBytes);
  const placement = placementOf(partitions.length, one);
  const answer = await dump(selector, placement, async () => ['a', 'b', 'c']);
  const tree = JSON.parse(await textOf(answer)) as unknown;
  expect(one.budget.used).toBe(0);
  return tree;
}

describe('a dump', () => {
  it.each([undefined, 1, 4])('joins the partitions of each cluster, in pieces of %s bytes', async (pieceBytes) => {
    const partitions: Partitions = [
      { a: '{"h1":{}}', b: '{"h3":{}}' },
      { a: '{"h2":{}}', c: '{"h4":{}}' },
      { a: '{}', b: '{}' },
    ];
    expect(await dumped([], partitions, pieceBytes)).toEqual({
      data: { a: { h1: {}, h2: {} }, b: { h3: {} }, c: { h4: {} } },
    });
    expect(await dumped(['a'], partitions, pieceBytes)).toEqual({ data: { h1: {}, h2: {} } });
    expect(await dumped(['b', 'h0'], partitions, pieceBytes)).toEqual({ data: { h3: {} } });
  });

  it('of any size comes out whole', async () => {
    const long = 'x'.repeat(3 * WHOLE);
    expect(await dumped([], [{ b: `{"${long}":{}}` }, { b: '{"h":{}}' }], 10_000)).toEqual({
      data: { b: { [long]: {}, h: {} } },
    });
  });

  it('leaves out clusters that were freed since they were listed', async () => {
    expect(await dumped([], [{ b: '{"h":{}}' }])).toEqual({ data: { b: { h: {} } } });
    expect(await dumped([], [{}])).toEqual({ data: {} });
  });

  it('rejects for one cluster or host that is not there', async () => {
    await expect(dumped(['a'], [{ b: '{"h":{}}' }])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(dumped(['a', 'h0'], [{ b: '{"h":{}}' }])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
