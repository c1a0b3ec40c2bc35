/** What the view "explore" makes of PromQL's answers and errors. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examplesFor } from '../../web/src/model/promql/examples.js';
import { graphOf, linesOf, MOST_LINES, stepsOf } from '../../web/src/model/promql/graph.js';
import { problemOf } from '../../web/src/model/promql/problem.js';
import { labelsOf, rowsOf } from '../../web/src/model/promql/rows.js';
import { fullName, shortNames } from '../../web/src/model/promql/series-names.js';
import { unitOfExpression } from '../../web/src/model/promql/unit.js';
import { unitOf } from '../../web/src/model/values/units.js';

describe('problemOf', () => {
  it('finds the place that the server names, in lines and bytes', () => {
    expect(problemOf('invalid parameter "query": 1:5: parse error: unexpected end', 'sum(')).toEqual({
      text: 'parse error: unexpected end (line 1, column 5)',
      at: 4,
    });
    const text = 'cpu_load{a="ä"}\n  + sum(';
    expect(problemOf('2:9: parse error: no', text).at).toBe(text.length);
    expect(problemOf('1:14: parse error: no', text).at).toBe(12);
    expect(problemOf('1:15: parse error: no', text).at).toBe(13);
  });

  it('keeps what names no place as it is', () => {
    expect(problemOf('the server cannot be reached', 'x')).toEqual({
      text: 'the server cannot be reached',
      at: undefined,
    });
  });
});

describe('names of series', () => {
  it('are what tells them apart', () => {
    const labels = { __name__: 'mem_bw', cluster: 'alex', type: 'socket' };
    const all = [
      { ...labels, hostname: 'f1', type_id: '0' },
      { ...labels, hostname: 'f1', type_id: '1' },
    ];
    expect(shortNames(all)).toEqual(['0', '1']);
    expect(shortNames(all.slice(0, 1))).toEqual(['mem_bw']);
    expect(shortNames([...all, { __name__: 'cpu_load', cluster: 'alex', hostname: 'f1' }])).toEqual([
      'mem_bw socket 0',
      'mem_bw socket 1',
      'cpu_load',
    ]);
    expect(shortNames([{}])).toEqual(['{}']);
    expect(fullName(labels)).toBe('mem_bw{cluster="alex", type="socket"}');
  });
});

describe('graph', () => {
  it('asks at round times, not more often than samples come', () => {
    expect(stepsOf({ from: 1000, to: 4601 }, 60)).toEqual({ from: 1020, to: 4560, step: 60 });
    expect(stepsOf({ from: 0, to: 86_400 }, 10)).toEqual({ from: 0, to: 86_100, step: 300 });
    expect(stepsOf({ from: 0, to: 366 * 86_400 }, 10).step).toBe(172_800);
  });

  it('lays series on the steps, with gaps where they have nothing', () => {
    const steps = { from: 60, to: 300, step: 60 };
    const series = [
      { labels: { a: '1' }, times: [60, 240], values: [1, 4] },
      { labels: { a: '2' }, times: [], values: [] },
    ];
    const lines = linesOf(series, steps);
    expect([...(lines[0]?.values ?? [])]).toEqual([1, Number.NaN, Number.NaN, 4, Number.NaN]);
    expect(lines[0]).toMatchObject({ name: '1', mean: 2.5, least: 1, most: 4, newest: 4 });
    expect(lines[1]).toMatchObject({ name: '2', least: undefined, newest: undefined });
    const chart = graphOf(lines, steps, 1, () => '#000000');
    expect(chart.times).toEqual([60, 120, 180, 240, 300]);
    expect(chart.lines.map(({ width }) => width)).toEqual([1.25, 3]);
  });

  it('draws no more lines than can be told apart', () => {
    const series = Array.from({ length: 100 }, (_, i) => ({ labels: { i: String(i) }, times: [60], values: [i] }));
    const steps = { from: 60, to: 60, step: 60 };
    expect(graphOf(linesOf(series, steps), steps, -1, () => '#000000').lines).toHaveLength(MOST_LINES);
  });
});

describe('table', () => {
  it('has a row a series and a column a label', () => {
    const rows = rowsOf({
      resultType: 'vector',
      result: [
        { metric: { hostname: 'f1', __name__: 'x' }, value: [60, '1.5'] },
        { metric: { b: '2' }, value: [60, '+Inf'] },
      ],
    });
    expect(labelsOf(rows)).toEqual(['__name__', 'b', 'hostname']);
    expect(rows[0]).toEqual({ labels: { hostname: 'f1', __name__: 'x' }, time: 60, value: '1.5' });
    expect(rowsOf({ resultType: 'scalar', result: [60, '7'] })).toEqual([{ labels: {}, time: 60, value: '7' }]);
    const samples = { metric: {}, values: [[0, '1'] as [number, string], [60, '2'] as [number, string]] };
    expect(rowsOf({ resultType: 'matrix', result: [samples, { metric: {}, values: [] }] })).toEqual([
      { labels: {}, time: 60, value: '2' },
    ]);
  });
});

describe('unitOfExpression', () => {
  const metrics = ['mem_bw', 'cpu_power', 'mem_power', 'cpu_load'];
  const unit = (...expressions: string[]): string => unitOfExpression(expressions, metrics).name;

  it('is that of the metric as long as nothing changes it', () => {
    expect(unit('sum by (hostname) (mem_bw{cluster="alex"})')).toBe('B/s');
    expect(unit('cpu_power + mem_power', 'max(cpu_power)')).toBe('W');
    expect(unitOfExpression(['mem_bw'], metrics)).toEqual(unitOf('mem_bw'));
  });

  it('is none where it is another one, or not known', () => {
    expect(unit('mem_bw / cpu_power')).toBe('');
    expect(unit('rate(mem_bw[5m])')).toBe('');
    expect(unit('count(mem_bw)')).toBe('');
    expect(unit('mem_bw', 'cpu_power')).toBe('');
    expect(unit('cpu_load{a="mem_bw"}')).toBe(unitOf('cpu_load').name);
    expect(unit('1 + 1')).toBe('');
  });
});

it('offers only examples that the metrics at hand can answer', () => {
  expect(examplesFor([])).toEqual([]);
  const expressions = examplesFor(['cpu_power']).map(({ expression }) => expression);
  expect(expressions).toEqual(['sum(cpu_power)']);
  // Those that take some thought are explained, and tried by test/docs/promql.test.ts.
  const page = readFileSync('docs/promql.md', 'utf8');
  const all = examplesFor([
    'cpu_load',
    'flops_any',
    'cpu_power',
    'mem_used',
    'mem_total',
    'acc_utilization',
    'net_bytes_in',
  ]);
  expect(
    all.filter(({ expression }) => !page.includes(`\n${expression}\n`)).map(({ expression }) => expression),
  ).toEqual(['cpu_load', 'sum(cpu_power)']);
});
