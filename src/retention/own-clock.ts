/**
 * Whether this server's clock is to be believed. A board without a battery starts years ago, until it has asked a time
 * server; then all hosts seem to be ahead, and to refuse their samples would lose them. So: if more than half of at least
 * four hosts that sent within five minutes are too far ahead, it is our clock that is wrong.
 */
import type { Logger } from '../base/log.js';
import { every } from './schedule.js';

const CHECK_SECONDS = 1;
const LEAST_HOSTS = 4;

export interface ClockedStore {
  readonly state: string;
  /**
   * Hosts that sent something too new within five minutes, and, if asked, all that sent something.
   * @param withSenders they are counted; otherwise 0.
   */
  hostClocks(withSenders: boolean): Promise<{ ahead: number; senders: number }>;
  /** Whether samples are refused for their time. */
  trustClock(isTrusted: boolean): Promise<void>;
}

export interface OwnClock {
  /** What is wrong with the clock, for people; undefined: nothing. */
  readonly problem: string | undefined;
  /** Ends the checks; resolves when one that is under way has ended. */
  stop(): Promise<void>;
}

/** Looks every second. */
export function startOwnClock(store: ClockedStore, log: Logger): OwnClock {
  let problem: string | undefined;
  const check = async (): Promise<void> => {
    if (store.state === 'stopping') return;
    const next = await problemOf(store);
    if ((next === undefined) !== (problem === undefined)) {
      await store.trustClock(next === undefined);
      if (next === undefined)
        log.warn("the hosts' clocks agree with this server's again: wrong times are refused as usual");
      else log.err(`${next}; no sample is refused for its time until they agree`);
    }
    problem = next;
  };
  const checks = every(CHECK_SECONDS, () =>
    check().catch((error: unknown) => log.err("the hosts' clocks could not be compared with this server's", error)),
  );
  return {
    get problem() {
      return problem;
    },
    stop: () => checks.stop(),
  };
}

async function problemOf(store: ClockedStore): Promise<string | undefined> {
  // Mostly none: to count all hosts is left out then.
  const { ahead } = await store.hostClocks(false);
  if (2 * ahead <= LEAST_HOSTS) return undefined;
  const { ahead: tooNew, senders } = await store.hostClocks(true);
  if (senders < LEAST_HOSTS || 2 * tooNew <= senders) return undefined;
  return (
    `this server's clock (${new Date().toISOString()}) seems to be wrong: ${tooNew} of ${senders} hosts that sent within ` +
    'five minutes are ahead of it by more than future-limit'
  );
}
