import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClockedStore, type OwnClock, startOwnClock } from '../../src/retention/own-clock.js';
import { KeptLog } from '../support/kept-log.js';

let ahead: number;
let senders: number;
let trusted: boolean[];
let counted: number;
let clock: OwnClock;
let log: KeptLog;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  [ahead, senders, trusted, counted] = [0, 0, [], 0];
  log = new KeptLog();
  const store: ClockedStore = {
    state: 'ready',
    hostClocks: async (withSenders) => {
      if (withSenders) counted++;
      return { ahead, senders: withSenders ? senders : 0 };
    },
    trustClock: async (isTrusted) => {
      trusted.push(isTrusted);
    },
  };
  clock = startOwnClock(store, log);
});
afterEach(async () => {
  await clock.stop();
  vi.useRealTimers();
});

const second = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1001);

describe("this server's clock", () => {
  it.each([
    [3, 3, 'too few send'],
    [2, 4, 'half of them are ahead'],
    [500, 1000, 'half of them are ahead'],
    [1, 1000, 'one is ahead'],
  ])('is right when %d of %d hosts are ahead: %s', async (tooNew, all) => {
    [ahead, senders] = [tooNew, all];
    await second();
    expect(clock.problem).toBeUndefined();
    expect(trusted).toEqual([]);
  });

  it.each([
    [3, 4],
    [4, 4],
    [501, 1000],
  ])('is wrong when %d of %d hosts are ahead, until they agree again', async (tooNew, all) => {
    [ahead, senders] = [tooNew, all];
    await second();
    await second();
    expect(trusted).toEqual([false]);
    expect(clock.problem).toBe(
      `this server's clock (2023-11-14T22:13:22.000Z) seems to be wrong: ${tooNew} of ${all} hosts that sent within ` +
        'five minutes are ahead of it by more than future-limit',
    );
    [ahead, senders] = [0, all];
    await second();
    expect(trusted).toEqual([false, true]);
    expect(clock.problem).toBeUndefined();
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^err this server's clock .* future-limit; no sample is refused for its time until they agree$/,
      ),
      "warn the hosts' clocks agree with this server's again: wrong times are refused as usual",
    ]);
  });

  it('costs no count of all hosts while few are ahead', async () => {
    for (ahead of [0, 1, 2]) await second();
    expect(counted).toBe(0);
  });
});
