import { describe, expect, it } from 'vitest';
import { AnswerStream } from '../../src/store/query/answer-stream.js';
import { answerDump, type DumpSource } from '../../src/store/query/dump-answer.js';
import { textOf } from '../core/answer-text.js';

/** Partitions by index: cluster → the object that the partition answers, undefined: it does not have the cluster. */
function sourceOf(partitions: Record<string, string>[]): DumpSource {
  return {
    partitions: partitions.map((_, i) => i),
    partitionOf: () => 0,
    clusters: async () => ['a', 'b', 'c'],
    open: (partition, [cluster = '']) => {
      const stream = new AnswerStream(1, partition, { pull: () => {}, cancel: () => {} });
      const text = partitions[partition]?.[cluster];
      const bytes = new TextEncoder().encode(text ?? '') as Uint8Array<ArrayBuffer>;
      const failure = text === undefined ? { code: 'NOT_FOUND' as const, message: 'not found' } : undefined;
      stream.receive({ id: 1, bytes, ends: [], done: true, text: new Uint8Array(0), failure });
      return stream;
    },
  };
}

async function dump(selector: string[], partitions: Record<string, string>[]): Promise<unknown> {
  return JSON.parse(await textOf(answerDump(selector, sourceOf(partitions))));
}

describe('answerDump', () => {
  it('joins the partitions of each cluster', async () => {
    const partitions = [
      { a: '{"h1":{}}', b: '{"h3":{}}' },
      { a: '{"h2":{}}', c: '{"h4":{}}' },
    ];
    expect(await dump([], partitions)).toEqual({
      data: { a: { h1: {}, h2: {} }, b: { h3: {} }, c: { h4: {} } },
    });
  });

  it('leaves out clusters that were freed since they were listed', async () => {
    expect(await dump([], [{ b: '{"h":{}}' }])).toEqual({ data: { b: { h: {} } } });
    expect(await dump([], [{}])).toEqual({ data: {} });
  });

  it('rejects for one cluster that is not there', async () => {
    await expect(dump(['a'], [{ b: '{"h":{}}' }])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
