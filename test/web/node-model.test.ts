import { describe, expect, it } from 'vitest';
import { metricsOf, readNodeTree, splitLevel } from '../../web/src/model/nodes/node-tree.js';
import { ofNodes, quantiles, selector } from '../../web/src/model/promql/expressions.js';
import { Grid } from '../../web/src/model/series/grid.js';
import { nodeChart } from '../../web/src/model/series/node-chart.js';
import { balanceOf, bandChart, figuresOf, linesChart, outliersOf } from '../../web/src/model/series/together.js';
import { isCounter, ratesOf, rateUnit } from '../../web/src/model/values/counters.js';
import { formatValue } from '../../web/src/model/values/numbers.js';
import { unitOf } from '../../web/src/model/values/units.js';

const SPAN = { from: 0, to: 300 };
/** Rows of five values, one a minute. */
const gridOf = (rows: Record<string, (number | null)[]>): Grid =>
  Grid.empty(SPAN, 60).advance(
    SPAN,
    Object.entries(rows).map(([node, values]) => ({ node, from: 0, step: 60, values })),
  );
const colour = (i: number): string => `colour ${i}`;

describe('splitLevel', () => {
  it.each([
    ['hwthread71', 'hwthread', '71'],
    ['accelerator00000000:49:00.0', 'accelerator', '00000000:49:00.0'],
    ['memoryDomain3', 'memoryDomain', '3'],
    ['filesystemscratch2', 'filesystemscratch', '2'],
    ['unknown7a', 'unknown', '7a'],
  ])('cuts %s into type and id', (name, type, id) => {
    expect(splitLevel(name)).toEqual({ type, id });
  });

  it('finds no id where there is none', () => {
    expect(splitLevel('socket')).toBeUndefined();
  });
});

describe('readNodeTree', () => {
  const spans = [{ start: 0, len: 1, end: 60 }];
  const tree = readNodeTree({
    cpu_load: spans,
    hwthread10: { ipc: spans },
    hwthread2: { ipc: spans, clock: spans },
    'accelerator00000000:4e:00.0': { acc_power: spans },
    'accelerator00000000:49:00.0': { acc_power: spans },
    socket0: { mem_bw: spans, memoryDomain0: { mem_bw: spans } },
  });

  it('finds levels by kind, in the order of their numbers or addresses, and the metrics of each', () => {
    expect(tree.metrics).toEqual(['cpu_load']);
    expect(tree.kinds).toEqual([
      { type: 'hwthread', ids: ['2', '10'], metrics: ['ipc', 'clock'] },
      { type: 'accelerator', ids: ['00000000:49:00.0', '00000000:4e:00.0'], metrics: ['acc_power'] },
      { type: 'socket', ids: ['0'], metrics: ['mem_bw'] },
    ]);
    expect(metricsOf(tree)).toEqual(['cpu_load', 'ipc', 'clock', 'acc_power', 'mem_bw']);
  });
});

describe('nodeChart', () => {
  it("draws few levels as lines, and the node's own on top", () => {
    const { data, strip } = nodeChart(gridOf({ '': [3, 3, 3, 3, 3], socket0: [1], socket1: [2] }), undefined, colour);
    expect(data.lines.map(({ label, colour: own }) => [label, own])).toEqual([
      ['socket0', 'colour 0'],
      ['socket1', 'colour 1'],
      ['node', 'accent'],
    ]);
    expect(data.times).toEqual([0, 60, 120, 180, 240]);
    expect(strip).toBeUndefined();
  });

  it('draws many levels as a strip', () => {
    const threads = Object.fromEntries(Array.from({ length: 72 }, (_, i) => [`hwthread${i}`, [i]]));
    const { data, strip } = nodeChart(gridOf({ '': [1], ...threads }), undefined, colour);
    expect(data.lines.map(({ label }) => label)).toEqual(['node']);
    expect(strip?.rows.map((row) => row[0])).toEqual(Array.from({ length: 72 }, (_, i) => i));
  });

  it("lays the cluster's band behind, at the times of its own steps, and no longer than it reaches", () => {
    const band = { times: [0, 120], low: [1, 2], median: [5, 6], high: [9, 10] };
    const { data } = nodeChart(gridOf({ '': [3, 3, 3, 3, 3] }), band, colour);
    const [high, low, median] = data.lines;
    expect([high?.values, low?.values, median?.values]).toEqual([
      [9, 9, 10, 10, 10],
      [1, 1, 2, 2, 2],
      [5, 5, 6, 6, 6],
    ]);
    expect(high?.bandTo).toBe(1);
    const short = nodeChart(gridOf({ '': [3, 3, 3, 3, 3] }), { times: [0], low: [1], median: [1], high: [1] }, colour);
    expect(Array.from(short.data.lines[0]?.values ?? [])).toEqual([1, 1, 1, Number.NaN, Number.NaN]);
  });
});

describe('counters', () => {
  it('are told by name and by growing', () => {
    expect(isCounter('net_bytes_in', gridOf({ '': [1, 5, 9, 9, 20] }))).toBe(true);
    expect(isCounter('net_bytes_in', gridOf({ '': [9, 5, 9, 2, 20] }))).toBe(false);
    expect(isCounter('net_bytes_in', gridOf({ '': [5, 5, 5, 5, 5] }))).toBe(false);
    expect(isCounter('mem_used', gridOf({ '': [1, 2, 3, 4, 5] }))).toBe(false);
    expect(isCounter('net_bytes_in', gridOf({}))).toBe(false);
  });

  it('are shown as what they grow by a second, not over gaps or restarts', () => {
    expect([...ratesOf([60, 120, 240, Number.NaN, 300, 10, 70], 60)]).toEqual([
      Number.NaN,
      1,
      2,
      Number.NaN,
      Number.NaN,
      Number.NaN,
      1,
    ]);
    expect(formatValue(1500, rateUnit(unitOf('net_bytes_in', 'bytes')))).toBe('1.5\u202fkB/s');
    expect(rateUnit(unitOf('ib_recv_pkts')).name).toBe('packets/s');
    expect(rateUnit(unitOf('lustre_open')).name).toBe('/s');
  });
});

describe('nodes together', () => {
  const grid = gridOf({
    a: [1, 1, 1, 1, 1],
    b: [1.1, 1, 1, 1, 1],
    c: [1, 1.2, 1, 1, 1],
    d: [9, 9, 9, 9, 9],
    e: [1, 1, 1, 1],
  });

  it('name who differs from the others', () => {
    expect(outliersOf(grid)).toEqual(['d']);
    expect(outliersOf(gridOf({ a: [5], b: [5], c: [5.01] }))).toEqual([]);
    expect(outliersOf(gridOf({ a: [0], b: [0], c: [0], d: [1] }))).toEqual(['d']);
    expect(outliersOf(gridOf({}))).toEqual([]);
  });

  it('are drawn as a band with the outliers, or as lines', () => {
    const band = bandChart(grid, ['d'], colour);
    expect(band.lines.map(({ label }) => label)).toEqual(['most', 'least', 'median', 'd']);
    expect(Array.from(band.lines[0]?.values ?? [])).toEqual([9, 9, 9, 9, 9]);
    expect(linesChart(grid, colour).lines.map(({ label }) => label)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('have figures and a balance', () => {
    expect(figuresOf(grid, 'mean').get('d')).toBe(9);
    expect(figuresOf(grid, 'least').get('c')).toBe(1);
    expect(figuresOf(grid, 'most').get('c')).toBe(1.2);
    expect(
      balanceOf(
        new Map([
          ['a', 1],
          ['b', 3],
        ]),
      ),
    ).toBe(1.5);
    expect(balanceOf(new Map())).toBeNaN();
    expect(balanceOf(new Map([['a', 0]]))).toBeNaN();
  });
});

describe('expressions', () => {
  it('select a metric of a cluster, with names that PromQL must have quoted', () => {
    expect(selector('cpu_load', 'alex')).toBe('cpu_load{cluster="alex"}');
    expect(selector('mem-bw.total', 'a"b\\c', ['type="node"'])).toBe(
      '{"mem-bw.total",cluster="a\\"b\\\\c",type="node"}',
    );
  });

  it("are the nodes' own values, or rolled up as configured", () => {
    expect(ofNodes('cpu_load', 'alex', [''], null)).toBe('cpu_load{cluster="alex",type="node"}');
    expect(ofNodes('flops_any', 'alex', ['hwthread'], 'sum')).toBe('sum by (hostname) (flops_any{cluster="alex"})');
    expect(quantiles('x', [0.05, 0.5])).toBe(
      'label_replace(quantile(0.05, x), "q", "0.05", "", "") or label_replace(quantile(0.5, x), "q", "0.5", "", "")',
    );
  });
});
