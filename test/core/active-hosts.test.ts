import { expect, it } from 'vitest';
import { checkpoint, load, metric, replay, startCore, store, T0, takeLog } from '../support/core-driver.js';

const METRICS = new Map([['load', metric(60)]]);
const line = (host: string, time: number, level = ''): string =>
  `load,cluster=c,hostname=${host}${level} value=1 ${time}\n`;

it('hosts are active that have sent, with a time of the last minutes, since the start', () => {
  const core = startCore(METRICS);
  store(core, line('now', T0) + line('late', T0 - 400) + line('ahead', T0 + 5000) + line('edge', T0 - 270));
  store(core, line('thread', T0 - 100, ',type=hwthread,type-id=3'));
  const { figures } = core;
  const span = [T0 - 300, T0 + 600] as const;
  const names = ['now', 'late', 'ahead', 'edge', 'thread', 'nobody'];
  const active = (): string[] => names.filter((host) => figures.isActive('c', host, ...span));
  expect(active()).toEqual(['now', 'edge', 'thread']);
  expect(figures.activeHosts(...span)).toBe(3);
  // One that is late as well as ahead, by its newest sample.
  store(core, line('late', T0 + 5000));
  expect(active()).toEqual(['now', 'edge', 'thread']);
  store(core, line('late', T0 + 6000) + line('new', T0));
  expect(figures.activeHosts(...span)).toBe(4);
});

it('what files and log held at the start makes no host active', () => {
  const before = startCore(METRICS);
  store(before, line('a', T0) + line('b', T0));
  const log = takeLog(before);
  const file = checkpoint(before, true);
  const core = startCore(METRICS);
  load(core, [file]);
  replay(core, log);
  core.files.loadEnd();
  core.writes.logStartSegment();
  expect(core.figures.hosts).toBe(2);
  expect(core.figures.activeHosts(T0 - 300, T0 + 600)).toBe(0);
  store(core, line('b', T0 + 60));
  expect(core.figures.activeHosts(T0 - 300, T0 + 600)).toBe(1);
});
