/** Counts by metric and level, on a real core. */
import { expect, it } from 'vitest';
import { Jobs } from '../../src/base/jobs.js';
import { Counting } from '../../src/partition/counting.js';
import { metric, startCore, store, T0 } from '../support/core-driver.js';

const METRICS = new Map([
  ['ipc', metric(60, 'avg')],
  ['load', metric(60)],
]);

const line = (tags: string, metricName: string, step: number): string =>
  `${metricName},${tags} value=${step * 0.37} ${T0 + 60 * step}\n`;

it('adds up the series of a metric, by cluster and kind of level', async () => {
  const core = startCore(METRICS);
  for (let step = 0; step < 300; step++) {
    let text = '';
    for (const host of ['f1', 'f2']) {
      for (const thread of [0, 1, 71])
        text += line(`cluster=alex,hostname=${host},type=hwthread,type-id=${thread}`, 'ipc', step);
      text += line(`cluster=alex,hostname=${host},type=socket,type-id=0,stype=memoryDomain,stype-id=3`, 'ipc', step);
      text += line(`cluster=alex,hostname=${host}`, 'load', step);
      text += line(`cluster=alex,hostname=${host}`, 'ipc', step);
    }
    text += line('cluster=fritz,hostname=f1,type=hwthread,type-id=0', 'ipc', step);
    store(core, text);
  }
  const counting = new Counting(core, new Jobs());
  const contents = await counting.contents();
  const counts = contents.map((part) => [part.cluster, part.metric, part.level, part.series, part.samples]);
  expect(counts.sort()).toEqual([
    ['alex', 'ipc', '', 2, 600],
    ['alex', 'ipc', 'hwthread', 6, 1800],
    ['alex', 'ipc', 'socket/memoryDomain', 2, 600],
    ['alex', 'load', '', 2, 600],
    ['fritz', 'ipc', 'hwthread', 1, 300],
  ]);
  const all = await counting.all();
  const sum = (figure: (part: (typeof contents)[number]) => number): number =>
    contents.reduce((a, part) => a + figure(part), 0);
  expect(sum((part) => part.bytes)).toBe(all.bytes);
  expect(sum((part) => Object.values(part.blocks).reduce((a, b) => a + b, 0))).toBe(
    Object.values(all.blocks).reduce((a, b) => a + b, 0),
  );
  expect(await counting.summary()).toMatchObject([
    { cluster: 'alex', hosts: 2, series: 12, samples: 3600 },
    { cluster: 'fritz', hosts: 1, series: 1, samples: 300 },
  ]);
});

it('counts nothing in an empty partition', async () => {
  expect(await new Counting(startCore(METRICS), new Jobs()).contents()).toEqual([]);
});
