import { describe, expect, it } from 'vitest';
import { formatSeconds, parseGoDuration } from '../../src/config/duration.js';

describe('parseGoDuration', () => {
  it.each([
    ['48h', 172800],
    ['1h30m', 5400],
    ['1.5h', 5400],
    ['300ms', 0.3],
    ['1m0.5s', 60.5],
    ['2us', 2e-6],
    ['2µs', 2e-6],
    ['2μs', 2e-6],
    ['5ns', 5e-9],
    ['.5s', 0.5],
    ['1.s', 1],
    ['0', 0],
    ['-1h', -3600],
    ['+1h', 3600],
    ['-0', -0],
    ['1h1h', 7200],
  ])('reads %s', (text, seconds) => expect(parseGoDuration(text)).toBeCloseTo(seconds, 12));

  it.each(['', '-', '1', '48', '2d', '1h30', 'h', '.s', '1 h', ' 1h', '1H', '1e3s', '--1h', '3000000h', '1..5h', 'x'])(
    'refuses %j',
    (text) => expect(parseGoDuration(text)).toBeUndefined(),
  );
});

describe('formatSeconds', () => {
  it.each([
    [0, '0s'],
    [45, '45s'],
    [5400, '1h30m'],
    [172800, '2d'],
    [90061, '1d1h'],
    [3153600000, '100y'],
  ])('writes %d', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
});
