/** The listing of nodes, on a real core: times of their samples, and nothing of other clusters. */
import { describe, expect, it } from 'vitest';
import { Jobs } from '../../src/base/jobs.js';
import { listNodes } from '../../src/partition/list-nodes.js';
import { metric, startCore, store, T0 } from '../support/core-driver.js';

const METRICS = new Map([
  ['load', metric(60)],
  ['slow', metric(300, 'sum')],
]);

function lines(host: string, cluster: string, from: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += `load,cluster=${cluster},hostname=${host} value=${i} ${from + 60 * i}\n`;
  return text;
}

describe('listNodes', () => {
  it('says since when and until when each node has samples', async () => {
    const core = startCore(METRICS);
    store(core, lines('f1', 'alex', T0, 500));
    store(core, lines('f2', 'alex', T0 + 60_000, 3));
    store(core, lines('f3', 'fritz', T0, 1));
    // A slow metric whose newest sample is older does not say when the next one is due; a level of its own belongs to the node.
    store(core, `slow,cluster=alex,hostname=f1,type=socket,type-id=0 value=1 ${T0 - 600}\n`);
    const nodes = await listNodes(core, new Jobs(), 'alex');
    expect(nodes).toEqual([
      { node: 'f1', series: 2, oldest: T0 - 600, newest: T0 + 499 * 60, frequency: 60 },
      { node: 'f2', series: 1, oldest: T0 + 60_000, newest: T0 + 60_120, frequency: 60 },
    ]);
    expect(await listNodes(core, new Jobs(), 'nowhere')).toEqual([]);
  });

  it('counts samples that came late, before the first block', async () => {
    const core = startCore(METRICS);
    store(core, lines('f1', 'alex', T0, 300));
    store(core, `load,cluster=alex,hostname=f1 value=1 ${T0 - 36_000}\n`);
    expect(await listNodes(core, new Jobs(), 'alex')).toMatchObject([{ oldest: T0 - 36_000, newest: T0 + 299 * 60 }]);
  });

  it('adds up nodes whose series lie apart, over many steps, while series come and go', async () => {
    const core = startCore(METRICS);
    const names = Array.from({ length: 3000 }, (_, i) => `n${i}`);
    store(core, names.map((name) => lines(name, 'alex', T0, 1)).join(''));
    store(core, names.map((name) => `slow,cluster=alex,hostname=${name} value=1 ${T0}\n`).join(''));
    const listing = listNodes(core, new Jobs(), 'alex');
    store(core, lines('late', 'alex', T0, 1));
    core.writes.free(['alex', 'n5'], T0 + 1e6);
    const nodes = await listing;
    expect(nodes.filter(({ node }) => node !== 'late' && node !== 'n5')).toHaveLength(2999);
    expect(nodes.find(({ node }) => node === 'n7')).toEqual({
      node: 'n7',
      series: 2,
      oldest: T0,
      newest: T0,
      frequency: 60,
    });
  });
});
