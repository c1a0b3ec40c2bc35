import { describe, expect, it } from 'vitest';
import { parseRange, rangeText, spanOf } from '../../web/src/model/time/range.js';
import { formatAge, formatFullTime, formatSpan, formatTime } from '../../web/src/model/time/times.js';
import { formatBytes, formatCount, formatShare, formatValue, groupDigits } from '../../web/src/model/values/numbers.js';
import { parseUnit, unitOf } from '../../web/src/model/values/units.js';

/** 2026-11-26 14:05:07 UTC. */
const TIME = Date.UTC(2026, 10, 26, 14, 5, 7) / 1000;

describe('values', () => {
  it.each([
    ['mem_bw', 90_000, '90 GB/s'],
    ['mem_bw', 0, '0 B/s'],
    ['mem_bw', 0.4321, '432.1 kB/s'],
    ['flops_any', 1234.5678, '1.235 GFLOP/s'],
    ['flops_any', 999_960, '1 TFLOP/s'],
    ['cpu_power', 41_234, '41.23 kW'],
    ['cpu_power', 0.0125, '12.5 mW'],
    ['mem_used', 96_000_000, '96 GB'],
    ['net_bytes_in', 5e9, '5 GB'],
    ['clock', 2400, '2.4 GHz'],
    ['cpu_user', 99.95, '99.95 %'],
    ['cpu_temp', -3.25, '−3.25 °C'],
    ['cpu_load', 71.98765, '71.99'],
    ['cpu_load', 0.00049, '0'],
    ['ipc', 1.4, '1.4'],
    ['lustre_open', 12_345, '12.35 k'],
    ['anything', Number.NaN, '–'],
    ['anything', null, '–'],
    ['anything', undefined, '–'],
    ['anything', Number.POSITIVE_INFINITY, '∞'],
  ])('writes %s %d as %s', (metric, value, text) => {
    expect(formatValue(value, unitOf(metric)).replaceAll('\u202f', ' ')).toBe(text);
  });

  it.each([
    ['MFlops/s', { name: 'FLOP/s', factor: 1e6 }],
    ['GB/s', { name: 'B/s', factor: 1e9 }],
    ['kB', { name: 'B', factor: 1e3 }],
    ['MBytes', { name: 'B', factor: 1e6 }],
    ['Watts', { name: 'W', factor: 1 }],
    ['Percent', { name: '%', factor: 1 }],
    ['apples', { name: 'apples', factor: 1 }],
  ])('reads the unit %s', (text, unit) => {
    expect(parseUnit(text)).toMatchObject(unit);
  });

  it('believes what the server says more than the name', () => {
    expect(unitOf('mem_used', 'GB').factor).toBe(1e9);
    expect(unitOf('mem_used', '').factor).toBe(1e3);
  });

  it('counts, sizes and shares', () => {
    expect([0, 999, 9876, 12_400, 148_600, 2.14e9].map((n) => formatCount(n).replaceAll('\u202f', ' '))).toEqual([
      '0',
      '999',
      '9 876',
      '12.4 k',
      '148.6 k',
      '2.14 G',
    ]);
    expect(groupDigits(2_140_123)).toBe('2\u202f140\u202f123');
    expect(formatBytes(1_900_000_000)).toBe('1.9\u202fGB');
    expect([0, 0.004, 0.5, 1].map(formatShare)).toEqual(['0\u202f%', '0.4\u202f%', '50\u202f%', '100\u202f%']);
  });
});

describe('times', () => {
  it.each([
    [TIME, '14:05'],
    [TIME - 86_400, '25 Nov 14:05'],
    [TIME - 365 * 86_400, '26 Nov 2025 14:05'],
  ])('are as short as they can be: %d', (time, text) => {
    expect(formatTime(time, 'utc', TIME + 60)).toBe(text);
  });

  it('are written in full with their zone', () => {
    expect(formatFullTime(TIME, 'utc')).toBe('26 Nov 2026 14:05:07 UTC');
  });

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [61, '1 min 1 s'],
    [2400, '40 min'],
    [2430, '40 min'],
    [3 * 86_400 + 4 * 3600 + 5, '3 d 4 h'],
    [48 * 86_400, '48 d'],
  ])('span %d s as %s', (span, text) => {
    expect(formatSpan(span)).toBe(text);
  });

  it('have ages', () => {
    expect([-5, 1, 12, 3600].map(formatAge)).toEqual(['just now', 'just now', '12 s ago', '1 h ago']);
  });
});

describe('ranges', () => {
  it.each(['15m', '4h', '2d', '1795501800-1795505400'])('%s is the same when it is read', (text) => {
    const range = parseRange(text);
    expect(range && rangeText(range)).toBe(text);
  });

  it.each(['', '0h', '4', '4y', '5-3', '1-99999999999', 'last 4h', '-1-5', '400d'])('%j is none', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });

  it('that are relative end now', () => {
    expect(spanOf({ kind: 'last', seconds: 3600 }, 10_000.7)).toEqual({ from: 6400, to: 10_001 });
    expect(spanOf({ kind: 'fixed', from: 1, to: 2 }, 10_000)).toEqual({ from: 1, to: 2 });
  });
});
