import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/wasm/core.js';
import { LeafAggregation, LeafFunction } from '../../src/wasm/tables/codes.js';
import { ask, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';
import { leafRequest, readLeaf } from '../support/leaf.js';

const RANGE = { cluster: 'c', from: T0, to: T0 + 60, withStats: true, withData: false, withPadding: false };

const sample = (name: string, host: string, level: string, value: number): string =>
  `${name},cluster=c,hostname=${host}${level} value=${value} ${T0 + 30}\n`;
const thread = (id: number): string => `,type=hwthread,type-id=${id}`;

/** The sum over the host, undefined: nothing is there. */
function sum(core: Core, host: string, name = 'm'): number | undefined {
  const [entries] = ask(core, RANGE, [seriesQuery({ metric: name, host })]);
  return entries?.[0]?.avg ?? undefined;
}

/** Frees a level of a host with all below it. */
function free(core: Core, ...selector: string[]): void {
  expect(core.writes.free(['c', ...selector], T0 + 1e6)).toBeGreaterThan(0);
}

describe('the series of a roll-up', () => {
  const start = (): Core => {
    const core = startCore(new Map([['m', metric(60, 'sum')]]));
    store(core, sample('m', 'h', thread(0), 1) + sample('m', 'h', thread(1), 2));
    expect(sum(core, 'h')).toBe(3);
    return core;
  };

  it('are more when a thread appears', () => {
    const core = start();
    store(core, sample('m', 'h', thread(2), 4));
    expect(sum(core, 'h')).toBe(7);
    store(core, sample('m', 'h', ',type=socket,type-id=0,stype=core,stype-id=3', 8));
    expect(sum(core, 'h')).toBe(15);
  });

  it("are the host's own as soon as it has one", () => {
    const core = start();
    store(core, sample('m', 'h', '', 100));
    expect(sum(core, 'h')).toBe(100);
  });

  it('are fewer when a thread is freed', () => {
    const core = start();
    free(core, 'h', 'hwthread1');
    expect(sum(core, 'h')).toBe(1);
  });

  it('are none when the host is freed, and others when one comes in its place', () => {
    const core = start();
    free(core, 'h');
    expect(sum(core, 'h')).toBeUndefined();
    store(core, sample('m', 'i', thread(0), 16));
    expect(sum(core, 'h')).toBeUndefined();
    expect(sum(core, 'i')).toBe(16);
  });

  it('appear where there were none', () => {
    const core = start();
    store(core, sample('m', 'i', thread(0), 1));
    free(core, 'i');
    expect(sum(core, 'i')).toBeUndefined();
    store(core, sample('m', 'i', thread(0), 32));
    expect(sum(core, 'i')).toBe(32);
  });

  it('are right for more hosts and metrics than lists are kept', () => {
    const METRICS = 200;
    const HOSTS = 220;
    const metrics = new Map(Array.from({ length: METRICS }, (_, m) => [`m${m}`, metric(60, 'sum')]));
    const core = startCore(metrics);
    let text = '';
    for (let h = 0; h < HOSTS; h++) text += sample(`m${h % METRICS}`, `h${h}`, thread(0), h);
    store(core, text);
    const queries = [...metrics.keys()].flatMap((name) =>
      Array.from({ length: HOSTS }, (_, h) => seriesQuery({ metric: name, host: `h${h}` })),
    );
    const answers = ask(core, RANGE, queries);
    for (const [i, query] of queries.entries()) {
      const h = Number(query.host.slice(1));
      const expected = query.metric === `m${h % METRICS}` ? [h] : [];
      expect(answers[i]?.map(({ avg }) => avg)).toEqual(expected);
    }
    for (let h = 0; h < HOSTS; h++) expect(sum(core, `h${h}`, `m${h % METRICS}`)).toBe(h);
  });
});

/** Levels of the metric's series, of one host or of all. */
function listed(core: Core, name: string, host?: string): string[] {
  const levels = host === undefined ? [] : [undefined, { only: [host] }];
  return readLeaf(core, leafRequest(name, { levels })).map((part) => part.series.levels.slice(1).join(' '));
}

describe('the series of a leaf', () => {
  const start = (): Core => {
    const core = startCore(new Map([['m', metric(60, 'sum')]]));
    store(core, sample('m', 'h', '', 1) + sample('m', 'i', thread(0), 2));
    expect(listed(core, 'm')).toEqual(['h', 'i hwthread0']);
    return core;
  };

  it('are more when one appears, in the order of the tree', () => {
    const core = start();
    store(core, sample('m', 'h', thread(1), 4));
    expect(listed(core, 'm')).toEqual(['h', 'h hwthread1', 'i hwthread0']);
  });

  it('are fewer when one is freed, and others when one comes in its place', () => {
    const core = start();
    free(core, 'h');
    expect(listed(core, 'm')).toEqual(['i hwthread0']);
    store(core, sample('m', 'k', '', 1));
    expect(listed(core, 'm')).toEqual(['i hwthread0', 'k']);
  });

  it('are those of the metric, the hosts and the levels that are asked for', () => {
    const core = startCore(new Map(['m', 'n'].map((name) => [name, metric(60, 'sum')])));
    store(core, sample('m', 'h', '', 1) + sample('n', 'h', thread(0), 1) + sample('m', 'i', thread(0), 1));
    for (let again = 0; again < 2; again++) {
      expect(listed(core, 'm')).toEqual(['h', 'i hwthread0']);
      expect(listed(core, 'n')).toEqual(['h hwthread0']);
      expect(listed(core, 'm', 'i')).toEqual(['i hwthread0']);
      expect(listed(core, 'm', 'h')).toEqual(['h']);
      expect(readLeaf(core, leafRequest('m', { depths: 0b01000 })).map(({ series }) => series.levels[1])).toEqual([
        'i',
      ]);
    }
  });

  it('are right for more hosts than lists are kept, and for a list that none has room for', () => {
    const HOSTS = 3000;
    const core = startCore(new Map([['m', metric(60, 'sum')]]));
    const fill = (hosts: number, prefix: string): void =>
      store(core, Array.from({ length: hosts }, (_, h) => sample('m', `${prefix}${h}`, '', h)).join(''));
    fill(HOSTS, 'h');
    for (let again = 0; again < 2; again++) {
      const wrong = Array.from({ length: HOSTS }, (_, h) => `h${h}`).filter((h) => listed(core, 'm', h).join() !== h);
      expect(wrong).toEqual([]);
    }
    fill(64_000, 'k');
    const newest = { function: LeafFunction.Instant, start: (T0 + 60) * 1000, count: 1, lookback: 3_600_000 };
    const counted = leafRequest('m', { ...newest, aggregation: LeafAggregation.Count });
    for (let again = 0; again < 2; again++) expect(readLeaf(core, counted)[0]?.rows[0]?.[0]).toBe(HOSTS + 64_000);
  });
});
