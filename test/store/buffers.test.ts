import { expect, test } from 'vitest';
import { Buffers, bufferSize } from '../../src/store/buffers.js';

test('a buffer that was given back is taken again, for what fits', () => {
  const buffers = new Buffers();
  const buffer = buffers.take(70_000);
  expect(buffer.byteLength).toBe(81_920);
  buffers.give(buffer);
  expect(buffers.take(20_000)).not.toBe(buffer);
  expect(buffers.take(81_920)).toBe(buffer);
  expect(buffers.take(81_920)).not.toBe(buffer);
});

test('there are four sizes an octave, but not beyond what is kept', () => {
  const sizes: [bytes: number, size: number][] = [
    [1, 16_384],
    [16_384, 16_384],
    [16_385, 20_480],
    [20_481, 24_576],
    [32_768, 32_768],
    [32_769, 40_960],
    [1 << 21, 1 << 21],
    [(1 << 21) + 1, (1 << 21) + 1],
  ];
  for (const [bytes, size] of sizes) {
    expect([bytes, bufferSize(bytes)]).toEqual([bytes, size]);
    // What is given back is known by its size.
    expect(bufferSize(size)).toBe(size);
  }
});

test('odd and too many buffers are not kept', () => {
  const buffers = new Buffers();
  const odd = [new ArrayBuffer(20_000), new ArrayBuffer(1 << 22)];
  for (const buffer of odd) buffers.give(buffer);
  expect(odd).not.toContain(buffers.take(20_000));
  expect(odd).not.toContain(buffers.take(1 << 22));
  const given = Array.from({ length: 9 }, () => new ArrayBuffer(1 << 21));
  for (const buffer of given) buffers.give(buffer);
  const again = given.map(() => buffers.take(1 << 21)).filter((buffer) => given.includes(buffer));
  expect(again.length).toBe(8);
});
