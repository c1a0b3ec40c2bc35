import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/wasm/core.js';
import { ask, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';

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
