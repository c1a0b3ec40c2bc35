import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between the samples; Node counts them into the delay, so they are taken off again. */
const RESOLUTION_MS = 10;
const NAME = 'ccms_event_loop_lag_seconds';

/**
 * How late the main thread gets to its timers: what every request waits at least. Quantiles are over the time since the
 * last scrape, sum and count since start.
 */
export class EventLoopLag {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #sum = 0;
  #count = 0;

  constructor() {
    this.#delays.enable();
  }

  /** The exposition text: a summary of quantiles that are measured and not estimated, which prom-client cannot hold. */
  text(): string {
    const delays = this.#delays;
    const seen = delays.count > 0;
    const quantiles = (['0.5', '0.99', '1'] as const).map((quantile) => {
      const lag = seen ? lagSeconds(quantile === '1' ? delays.max : delays.percentile(Number(quantile) * 100)) : 0;
      return `${NAME}{quantile="${quantile}"} ${lag}`;
    });
    if (seen) {
      this.#count += delays.count;
      this.#sum += lagSeconds(delays.mean) * delays.count;
    }
    delays.reset();
    return [
      `# HELP ${NAME} How late timers of the main thread fire, by quantile since the last scrape (1: the longest).`,
      `# TYPE ${NAME} summary`,
      ...quantiles,
      `${NAME}_sum ${this.#sum}`,
      `${NAME}_count ${this.#count}`,
      '',
    ].join('\n');
  }

  close(): void {
    this.#delays.disable();
  }
}

function lagSeconds(delayNanoseconds: number): number {
  return Math.max(0, delayNanoseconds / 1e9 - RESOLUTION_MS / 1e3);
}
