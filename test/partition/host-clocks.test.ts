import { beforeEach, describe, expect, it } from 'vitest';
import { type ActiveHosts, HostClocks } from '../../src/partition/host-clocks.js';
import { LineError } from '../../src/wasm/tables/codes.js';
import type { TimeFault } from '../../src/wasm/writes.js';
import { KeptLog } from '../support/kept-log.js';

const NOW = 1_700_000_000;
const DAY = 86_400;

let log: KeptLog;
beforeEach(() => {
  log = new KeptLog();
});

const clocks = (futureLimitSeconds = 600): HostClocks =>
  new HostClocks({ retentionSeconds: DAY, futureLimitSeconds }, log);
const fault = (host: string, seconds: number, reason = LineError.TimestampTooNew): TimeFault => ({
  reason,
  cluster: 'alex',
  host,
  lines: 3,
  seconds,
});

describe('clocks of hosts', () => {
  it('may be ahead by the limit, and samples be twice the retention old', () => {
    expect(clocks().limits(NOW)).toEqual({ oldest: NOW - 2 * DAY, newest: NOW + 600, isTrusted: true });
    expect(clocks(0).limits(NOW)).toMatchObject({ newest: 2 ** 62, isTrusted: true });
  });

  it('are warned of once an hour a host, for each reason', () => {
    const hosts = clocks();
    const bad = [fault('a', NOW + 7200), fault('b', NOW - 3 * DAY, LineError.TimestampTooOld)];
    for (const seconds of [0, 10, 3590]) hosts.note(bad, NOW + seconds);
    expect(log.lines).toEqual([
      "warn host a of cluster alex: 3 lines refused: timestamp more than future-limit after the server's clock: " +
        `${NOW + 7200} is 2h after it; look at the host's clock (told once an hour)`,
      'warn host b of cluster alex: 3 lines refused: timestamp older than twice the retention: ' +
        `${NOW - 3 * DAY} is 3d before it; look at the host's clock (told once an hour)`,
    ]);
    hosts.note([fault('a', NOW, LineError.TimestampTooOld)], NOW + 20);
    hosts.note(bad, NOW + 3600);
    expect(log.lines.length).toBe(5);
  });

  it('that are ahead are remembered for five minutes, or until the clock is set', () => {
    const hosts = clocks();
    hosts.note([fault('a', NOW + 7200), fault('b', 1, LineError.TimestampTooOld)], NOW);
    hosts.note([fault('c', NOW + 7200)], NOW + 200);
    expect(hosts.ahead(NOW + 300).map(({ host }) => host)).toEqual(['a', 'c']);
    expect(hosts.ahead(NOW + 301).map(({ host }) => host)).toEqual(['c']);
    expect(hosts.ahead(NOW - 3 * DAY)).toEqual([]);
  });

  it('are counted once each, though they send good samples too', () => {
    const hosts = clocks();
    hosts.note([fault('a', NOW + 7200), fault('b', NOW + 7200)], NOW);
    // Seven have sent something good, one of them is ahead as well.
    const active: ActiveHosts = { activeHosts: () => 7, isActive: (_cluster, host) => host === 'a' };
    expect(hosts.count(active, true, NOW)).toEqual({ ahead: 2, senders: 8 });
    expect(hosts.count(active, false, NOW)).toEqual({ ahead: 2, senders: 0 });
  });

  it('are not held against them when our own is wrong', () => {
    const hosts = clocks();
    hosts.trust(false);
    expect(hosts.limits(NOW)).toEqual({ oldest: -(2 ** 62), newest: NOW + 600, isTrusted: false });
    hosts.note([fault('a', NOW + 7200)], NOW);
    expect(log.lines).toEqual([]);
    expect(hosts.ahead(NOW)).toEqual([{ cluster: 'alex', host: 'a', at: NOW }]);
  });

  it('take bounded memory, whatever names come', () => {
    const hosts = clocks();
    for (let i = 0; i < 10_000; i++) hosts.note([fault(`h${i}`, NOW + 7200)], NOW);
    expect(hosts.ahead(NOW).length).toBe(4096);
    expect(hosts.ahead(NOW).at(-1)?.host).toBe('h9999');
  });
});
