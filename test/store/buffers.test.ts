import { expect, test } from 'vitest';
import { Buffers, bufferSize } from '../../src/store/buffers.js';

test('a buffer that was given back is taken again, for what fits', () => {
  const buffers = new Buffers();
  expect(buffers.spare(70_000)).toBeUndefined();
  const buffer = buffers.take(70_000);
  expect(buffer.byteLength).toBe(131_072);
  buffers.give(buffer);
  expect(buffers.spare(20_000)).toBeUndefined();
  expect(buffers.spare(131_072)).toBe(buffer);
  expect(buffers.spare(131_072)).toBeUndefined();
});

test('sizes are powers of two, but not beyond what is kept', () => {
  expect([1, 16_384, 16_385, 1 << 21, (1 << 21) + 1].map(bufferSize)).toEqual([
    16_384,
    16_384,
    32_768,
    1 << 21,
    (1 << 21) + 1,
  ]);
});

test('odd and too many buffers are not kept', () => {
  const buffers = new Buffers();
  buffers.give(new ArrayBuffer(20_000));
  buffers.give(new ArrayBuffer(1 << 22));
  expect(buffers.spare(20_000)).toBeUndefined();
  expect(buffers.spare(1 << 22)).toBeUndefined();
  const given = Array.from({ length: 9 }, () => new ArrayBuffer(1 << 21));
  for (const buffer of given) buffers.give(buffer);
  const again = given.map(() => buffers.spare(1 << 21)).filter((buffer) => buffer !== undefined);
  expect(again.length).toBe(8);
});

test('a lent buffer comes back once all of its bytes were recycled', () => {
  const buffers = new Buffers();
  const buffer = buffers.take(70_000);
  const bytes = buffers.lend(buffer, 70_000);
  expect(bytes.length).toBe(70_000);
  buffers.recycle(bytes.subarray(0, 30_000));
  buffers.recycle(bytes.subarray(60_000));
  expect(buffers.spare(70_000)).toBeUndefined();
  buffers.recycle(bytes.subarray(30_000, 60_000));
  expect(buffers.spare(70_000)).toBe(buffer);
  // It is not lent any more, and this one never was.
  buffers.recycle(bytes);
  buffers.recycle(new Uint8Array(70_000));
  expect(buffers.spare(70_000)).toBeUndefined();
});
