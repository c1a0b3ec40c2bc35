import { describe, expect, it } from 'vitest';
import { livenessOf, rollOf } from '../../web/src/model/nodes/nodes.js';
import { searchAll } from '../../web/src/model/page/search.js';
import { groupOf, orderMetrics, totalsOf } from '../../web/src/model/values/metrics.js';
import { colourIndex, colourOf, limitsOf, limitsText, parseLimits } from '../../web/src/model/values/scale.js';
import { deviation, histogramOf, mean, quantile, sortedValues } from '../../web/src/model/values/statistics.js';

describe('statistics', () => {
  it('leave out what is missing', () => {
    const sorted = sortedValues([3, Number.NaN, 1, 2]);
    expect([...sorted]).toEqual([1, 2, 3]);
    expect(mean([1, Number.NaN, 3])).toBe(2);
    expect(mean([])).toBeNaN();
  });

  it('interpolate quantiles', () => {
    expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 3, 10], share))).toEqual([1, 1.75, 2.5, 10]);
    expect(quantile([], 0.5)).toBeNaN();
    expect(quantile([7], 0.99)).toBe(7);
  });

  it('count values into bars, and those outside apart', () => {
    expect(histogramOf([0, 1, 2, 3, 4, -1, 9, Number.NaN], 0, 4, 2)).toEqual({
      from: 0,
      to: 4,
      counts: [2, 3],
      below: 1,
      above: 1,
    });
    expect(histogramOf([5, 5], 5, 5, 2).counts).toEqual([2, 0]);
  });

  it('measure deviation as robustly as the median', () => {
    expect(deviation([1, 2, 3, 4, 5, 1000])).toBeCloseTo(2.22, 2);
  });
});

describe('colours', () => {
  it('run from dark to bright, and end at the limits', () => {
    const limits = { low: 0, high: 10 };
    expect([-5, 0, 5, 10, 50].map((value) => colourIndex(value, limits))).toEqual([0, 0, 128, 255, 255]);
    expect(colourOf(0, limits)).toBe('rgb(0 32 81)');
    expect(colourOf(10, limits)).toBe('rgb(253 234 69)');
  });

  it.each([
    [[0, 10, 50, 100], { low: 0, high: 100 }],
    [[40, 41, 45, 89], { low: 40, high: 90 }],
    [[60, 61, 62], { low: 60, high: 62 }],
    [[5, 5, 5], { low: 2.5, high: 7.5 }],
    [[0, 0], { low: 0, high: 1 }],
    [[], { low: 0, high: 1 }],
  ])('have limits that fit %j', (values, limits) => {
    expect(limitsOf(sortedValues(values))).toEqual(limits);
  });

  it('ignore one node among thousands', () => {
    const values = [...Array.from({ length: 1000 }, (_, i) => 40 + (i % 20)), 9000];
    expect(limitsOf(sortedValues(values)).high).toBeLessThan(100);
  });

  it.each(['0-72', '-5-5', '1.5-2e+6', '-10--5'])('have limits in the address: %s', (text) => {
    const limits = parseLimits(text);
    expect(limits && parseLimits(limitsText(limits))).toEqual(limits);
  });

  it.each(['', '5', '7-3', 'a-b', '1-1'])('%j are none', (text) => {
    expect(parseLimits(text)).toBeUndefined();
  });
});

describe('nodes', () => {
  const span = (node: string, newest: number) => ({ node, series: 1, oldest: 0, newest, frequency: 60 });

  it.each([
    [0, 'live'],
    [180, 'live'],
    [181, 'late'],
    [360, 'late'],
    [361, 'dead'],
    [-3600, 'live'],
  ])('whose newest sample is %d s old are %s', (age, liveness) => {
    expect(livenessOf(span('n', 10_000 - age), 10_000)).toBe(liveness);
  });

  it('are called by how long they are silent', () => {
    const roll = rollOf([span('a', 9990), span('b', 9800), span('c', 100), span('d', 50)], 10_000);
    expect([roll.all, roll.live]).toEqual([4, 1]);
    expect(roll.late.map(({ node }) => node)).toEqual(['b']);
    expect(roll.dead.map(({ node }) => node)).toEqual(['d', 'c']);
  });
});

describe('metrics', () => {
  it.each([
    ['cpu_load', 'CPU'],
    ['flops_any', 'CPU'],
    ['mem_bw', 'Memory'],
    ['mem_power', 'Power and heat'],
    ['acc_power', 'GPUs'],
    ['cpu_temp', 'Power and heat'],
    ['ib_recv', 'Network'],
    ['lustre_open', 'File systems'],
    ['whatever', 'Others'],
  ])('%s belongs to %s', (name, group) => {
    expect(groupOf(name)).toBe(group);
  });

  it('that say most come first', () => {
    expect(orderMetrics(['zzz', 'ib_recv', 'mem_bw', 'cpu_load', 'ipc'])).toEqual([
      'cpu_load',
      'mem_bw',
      'ipc',
      'ib_recv',
      'zzz',
    ]);
    expect(totalsOf(['cpu_load', 'mem_power', 'cpu_power'])).toEqual([
      { label: 'power', metrics: ['cpu_power', 'mem_power'] },
      { label: 'load', metrics: ['cpu_load'] },
    ]);
  });
});

describe('searchAll', () => {
  const things = { nodes: ['f0101', 'f0102', 'g0101'], metrics: ['cpu_load', 'mem_bw'] };

  it('finds nodes, metrics and views by a part of their names, those that begin so first', () => {
    expect(searchAll('f01', things).map(({ name }) => name)).toEqual(['f0101', 'f0102']);
    expect(searchAll('0101', things).map(({ name }) => name)).toEqual(['f0101', 'g0101']);
    expect(searchAll('ST', things)).toEqual([{ kind: 'view', name: 'Store', view: 'store' }]);
    expect(searchAll('bw', things)).toEqual([{ kind: 'metric', name: 'mem_bw' }]);
    expect(searchAll('nothing', things)).toEqual([]);
  });

  it('offers the views before anything is typed', () => {
    expect(new Set(searchAll(' ', things).map(({ kind }) => kind))).toEqual(new Set(['view']));
  });
});
