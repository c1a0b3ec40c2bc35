/** Parts of any size come out in order, in chunks that are worth sending. */
import { expect, test } from 'vitest';
import { answerOf, Chunks } from '../../src/store/query/chunks.js';
import { CHUNK } from '../../src/store/query/sizes.js';
import { textOf } from '../support/answer-text.js';
import { seeded } from '../support/random.js';

async function* chunked(parts: string[]): AsyncGenerator<Uint8Array> {
  const chunks = new Chunks();
  for (const part of parts) yield* chunks.add(Buffer.from(part));
  yield* chunks.end();
}

test('small parts are gathered, large ones are passed on, and their order stays', async () => {
  const random = seeded(5);
  const sizes = [0, 1, 100, 20_000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK];
  for (let round = 0; round < 30; round++) {
    const parts = Array.from({ length: 1 + Math.floor(random() * 30) }, (_, i) =>
      String.fromCharCode(97 + (i % 26)).repeat(sizes[Math.floor(random() * sizes.length)] as number),
    );
    let text = '';
    const lengths: number[] = [];
    for await (const chunk of chunked(parts)) {
      text += Buffer.from(chunk).toString();
      lengths.push(chunk.length);
    }
    expect(text).toBe(parts.join(''));
    expect(lengths.slice(0, -1).every((length) => length >= CHUNK)).toBe(true);
  }
});

test('a large part is not copied', async () => {
  const chunks = new Chunks();
  const large = new Uint8Array(2 * CHUNK);
  expect([...chunks.add(large)]).toEqual([large]);
  expect([...chunks.add(large)][0]).toBe(large);
});

test('what is short becomes a whole answer, what is long stays in chunks', async () => {
  const short = await answerOf(chunked(['a', 'b'.repeat(100)]));
  expect(short).toBeInstanceOf(Uint8Array);
  expect(await textOf(short)).toBe(`a${'b'.repeat(100)}`);
  expect(await answerOf(chunked([]))).toHaveLength(0);
  for (const length of [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) {
    expect(await textOf(await answerOf(chunked(['a', 'b'.repeat(length)])))).toBe(`a${'b'.repeat(length)}`);
  }
});

test('an error before the first chunk rejects, and an answer that is left ends its chunks', async () => {
  let ended = 0;
  async function* failing(after: number): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; i < after; i++) yield new Uint8Array(CHUNK);
      throw new Error('no more');
    } finally {
      ended++;
    }
  }
  await expect(answerOf(failing(0))).rejects.toThrow('no more');
  const answer = await answerOf(failing(5));
  if (answer instanceof Uint8Array) throw new Error('expected chunks');
  for await (const _ of answer) break;
  expect(ended).toBe(2);
});
