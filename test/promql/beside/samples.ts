/**
 * The samples that both servers hold: line protocol for ours, OpenMetrics for Prometheus. Debian's Prometheus (2.42) has windows that
 * are closed on both sides; no sample lies on the edge of one here: samples are at 3 s past a multiple of 5 s, and times, ranges
 * and offsets of queries are multiples of 5 s.
 */

import { seeded } from '../../support/random.js';

export interface TestSeries {
  metric: string;
  cluster: string;
  hostname: string;
  type: string;
  typeId?: string;
  /** Unix seconds, and values. */
  samples: [number, number][];
}

/** Seconds between samples. */
export const frequencies = { cpu_load: 60, mem_used: 30, flops_any: 60, net_bytes_total: 60, job_count: 120, temp: 60 };

const HOURS = 3;

/** Two clusters of three nodes, with gaps, counters that restart, and values that are exact in binary. */
export function makeSeries(start: number): TestSeries[] {
  const random = seeded(20261127);
  const series: TestSeries[] = [];
  const add = (
    metric: keyof typeof frequencies,
    node: { cluster: string; hostname: string },
    level: { type: string; typeId?: string },
    value: (index: number) => number | undefined,
  ) => {
    const step = frequencies[metric];
    const samples: [number, number][] = [];
    for (let index = 0; index * step < HOURS * 3600; index++) {
      const sample = value(index);
      if (sample !== undefined) samples.push([start + 3 + index * step, sample]);
    }
    series.push({ metric, ...node, ...level, samples });
  };
  const eighths = (most: number) => Math.round(random() * most * 8) / 8;
  for (const cluster of ['alex', 'fritz']) {
    for (const hostname of ['n1', 'n2', 'n3'].map((name) => `${cluster[0]}${name}`)) {
      const node = { cluster, hostname };
      const own = { type: 'node' };
      const gap = hostname.endsWith('3');
      add('cpu_load', node, own, (index) => (gap && index % 20 > 12 ? undefined : eighths(72)));
      add('mem_used', node, own, (index) => 64 + Math.round(32 * Math.sin(index / 25)) / 4 + eighths(4));
      add('job_count', node, own, () => Math.floor(random() * 5));
      let total = 1e6 + Math.floor(random() * 1e6);
      add('net_bytes_total', node, own, (index) => {
        // Far from zero: 2.42 extrapolates counters that begin near it in another way.
        total = hostname.endsWith('2') && index % 70 === 69 ? 5e5 : total + Math.floor(random() * 5000);
        return total;
      });
      for (const typeId of ['0', '1', '2', '3']) {
        add('flops_any', node, { type: 'hwthread', typeId }, (index) =>
          typeId === '3' && index % 31 === 7 ? undefined : eighths(1000),
        );
      }
      for (const typeId of ['0', '1']) add('temp', node, { type: 'socket', typeId }, () => 40 + eighths(30));
    }
  }
  return series;
}

export function asLineProtocol(series: readonly TestSeries[]): string {
  const lines = series.flatMap(({ metric, cluster, hostname, type, typeId, samples }) => {
    const id = typeId === undefined ? '' : `,type-id=${typeId}`;
    const prefix = `${metric},cluster=${cluster},hostname=${hostname},type=${type}${id}`;
    return samples.map(([time, value]) => `${prefix} value=${value} ${time}`);
  });
  return lines.join('\n');
}

export function asOpenMetrics(series: readonly TestSeries[]): string {
  const lines = series.flatMap(({ metric, cluster, hostname, type, typeId, samples }) => {
    const id = typeId === undefined ? '' : `,type_id="${typeId}"`;
    const labels = `${metric}{cluster="${cluster}",hostname="${hostname}",type="${type}"${id}}`;
    return samples.map(([time, value]) => `${labels} ${value} ${time}`);
  });
  return `${lines.join('\n')}\n# EOF\n`;
}
