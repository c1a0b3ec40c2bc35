/**
 * Which timestamps a partition takes, and what becomes known of hosts whose clock is wrong: each is warned of once an hour,
 * and those that are ahead are remembered for five minutes. If most hosts are ahead it is this server's clock that is
 * wrong (the retention finds that out), and no sample is refused for its time.
 */
import type { StoreConfig } from '../config/config.js';
import { formatSeconds } from '../config/duration.js';
import type { Logger } from '../log.js';
import { LineError } from '../wasm/codes.js';
import { lineReasons } from '../wasm/line-reasons.js';
import type { TimeFault, TimeLimits } from '../wasm/writes.js';

/** Samples may be so many retentions old: a collector that was cut off sends what it has kept. */
const OLDEST_RETENTIONS = 2;
const WARN_SECONDS = 3600;
const AHEAD_SECONDS = 300;
/** Hosts that are remembered. Names come from outside: there may be any number. */
const MAX_HOSTS = 4096;
/** Beyond every time that a sample can have. */
const NEVER = 2 ** 62;

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

  /** Hosts that have sent something too new within five minutes. @param now unix seconds. */
  ahead(now: number): { cluster: string; host: string }[] {
    // The clock may have been set meanwhile, in either direction: what was noted before says nothing then.
    for (const [key, { at }] of this.#ahead) if (Math.abs(now - at) > AHEAD_SECONDS) this.#ahead.delete(key);
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
