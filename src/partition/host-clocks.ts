/**
 * Which timestamps a partition takes, and what becomes known of hosts whose clock is wrong: each is warned of once an hour,
 * and those that are ahead are remembered for five minutes. If most hosts are ahead it is this server's clock that is
 * wrong (the retention finds that out), and no sample is refused for its time.
 */

import type { Logger } from '../base/log.js';
import type { StoreConfig } from '../config/config.js';
import { formatSeconds } from '../config/duration.js';
import { LineError } from '../wasm/tables/codes.js';
import { lineReasons } from '../wasm/tables/line-reasons.js';
import type { TimeFault, TimeLimits } from '../wasm/writes.js';

/** Samples may be so many retentions old: a collector that was cut off sends what it has kept. */
const OLDEST_RETENTIONS = 2;
/** How far a node's clock may be ahead where no limit is configured. */
const DEFAULT_FUTURE_SECONDS = 600;
const WARN_SECONDS = 3600;
const SENT_SECONDS = 300;
/** Hosts that are remembered. Names come from outside: there may be any number. */
const MAX_HOSTS = 4096;
/** Beyond every time that a sample can have. */
const NEVER = 2 ** 62;

export interface HostClockCounts {
  ahead: number;
  senders: number;
}

/** Hosts whose newest sample is of (since, until], unix seconds, and has come since the start. */
export interface ActiveHosts {
  activeHosts(since: number, until: number): number;
  isActive(cluster: string, host: string, since: number, until: number): boolean;
}

export class HostClocks {
  readonly #config: Pick<StoreConfig, 'retentionSeconds' | 'futureLimitSeconds'>;
  readonly #logger: Logger;
  /** When a host was last warned of, unix seconds, by reason and name. */
  readonly #warned = new Map<string, number>();
  /** When a host last sent something too new, unix seconds. */
  readonly #ahead = new Map<string, { cluster: string; host: string; at: number }>();
  #isTrusted = true;

  constructor(config: Pick<StoreConfig, 'retentionSeconds' | 'futureLimitSeconds'>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** Whether samples are refused for their time. */
  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  trust(isTrusted: boolean): void {
    this.#isTrusted = isTrusted;
  }

  /** @param now unix seconds. */
  limits(now: number): TimeLimits {
    const { retentionSeconds, futureLimitSeconds } = this.#config;
    return {
      oldest: this.#isTrusted ? now - OLDEST_RETENTIONS * retentionSeconds : -NEVER,
      newest: futureLimitSeconds === 0 ? NEVER : now + futureLimitSeconds,
      isTrusted: this.#isTrusted,
    };
  }

  /** Until when samples may be of now, unix seconds: later ones are in files of a time when they were not refused. */
  present(now: number): number {
    return this.#isTrusted ? now + (this.#config.futureLimitSeconds || DEFAULT_FUTURE_SECONDS) : NEVER;
  }

  /** Takes note of what a batch has found. @param now unix seconds. */
  note(faults: readonly TimeFault[], now: number): void {
    for (const fault of faults) {
      const { cluster, host, reason } = fault;
      const key = `${cluster}\0${host}`;
      if (reason === LineError.TimestampTooNew) remember(this.#ahead, key, { cluster, host, at: now });
      if (this.#isTrusted) this.#warn(`${reason}\0${key}`, fault, now);
    }
  }

  #warn(key: string, { cluster, host, reason, lines, seconds }: TimeFault, now: number): void {
    const last = this.#warned.get(key);
    if (last !== undefined && Math.abs(now - last) < WARN_SECONDS) return;
    remember(this.#warned, key, now);
    const off = formatSeconds(Math.abs(seconds - now));
    this.#logger.warn(
      `host ${host} of cluster ${cluster}: ${lines} lines refused: ${lineReasons[reason]}: ` +
        `${seconds} is ${off} ${seconds > now ? 'after' : 'before'} it; look at the host's clock (told once an hour)`,
    );
  }

  /**
   * Hosts that have sent something too new within five minutes, and all that have sent anything.
   * @param withSenders they are counted; otherwise 0. @param now unix seconds.
   */
  count(hosts: ActiveHosts, withSenders: boolean, now: number): HostClockCounts {
    const ahead = this.ahead(now);
    if (!withSenders) return { ahead: ahead.length, senders: 0 };
    const since = now - SENT_SECONDS;
    const until = this.limits(now).newest;
    const both = ahead.filter(({ cluster, host }) => hosts.isActive(cluster, host, since, until)).length;
    return { ahead: ahead.length, senders: ahead.length + hosts.activeHosts(since, until) - both };
  }

  /** Hosts that have sent something too new within five minutes. @param now unix seconds. */
  ahead(now: number): { cluster: string; host: string }[] {
    // The clock may have been set meanwhile, in either direction: what was noted before says nothing then.
    for (const [key, { at }] of this.#ahead) if (Math.abs(now - at) > SENT_SECONDS) this.#ahead.delete(key);
    return [...this.#ahead.values()];
  }
}

/** Sets an entry as the newest, and drops the oldest if there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_HOSTS) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
