/** What the whole page knows about the server: configuration once, status every few seconds. */
import type { Metadata, ServerConfig, Status } from '../api/answers.js';
import { ApiError } from '../api/client.js';
import { type Unit, unitOf } from '../model/values/units.js';
import { repeat } from './repeat.js';
import { session } from './session.svelte.js';

/** Between two looks at the status, in seconds. */
const STATUS_SECONDS = 10;
/** Between the first two, so that the rate of lines is known soon. */
const FIRST_SECONDS = 2;

class Server {
  config = $state.raw<ServerConfig | undefined>();
  /** What is known of each metric: its unit is the configuration's, else the one that its first line brought. */
  metadata = $state.raw<Metadata>({});
  status = $state.raw<Status | undefined>();
  /** Lines a second between the last two looks; undefined: there was one look only. */
  rate = $state<number | undefined>();
  /** What went wrong with the last look; undefined: it went well. */
  problem = $state<string | undefined>();
  /** Unix seconds of the last status, by this browser's clock. */
  seen = $state(0);

  /** Unix seconds by the server's clock. */
  get now(): number {
    const ahead = this.status === undefined ? 0 : this.status.time - this.seen;
    return Date.now() / 1000 + ahead;
  }

  unit(metric: string): Unit {
    return unitOf(metric, this.metadata[metric]?.[0]?.unit);
  }

  /** Seconds between samples of a metric. */
  frequency(metric: string): number {
    return this.config?.metrics[metric]?.frequency ?? 60;
  }

  /** Asks until the returned function is called. */
  watch(): () => void {
    const pause = (): number => (this.status === undefined || this.rate === undefined ? FIRST_SECONDS : STATUS_SECONDS);
    return repeat(pause, async (signal) => {
      try {
        const { client } = session;
        this.config ??= await this.#first(signal);
        this.#take(await client.json<Status>('api/status', { signal }));
        this.problem = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.problem = error instanceof ApiError ? error.message : String(error);
        throw error;
      }
    });
  }

  /** What does not change while the page is open. */
  async #first(signal: AbortSignal): Promise<ServerConfig> {
    const { client } = session;
    // One after the other: of a bad token the first route says what is wrong with it.
    const config = await client.json<ServerConfig>('api/config', { signal });
    this.metadata = (await client.json<{ data: Metadata }>('api/v1/metadata', { signal })).data;
    return config;
  }

  #take(status: Status): void {
    const last = this.status;
    // A server that was restarted counts from 0.
    if (last !== undefined && last.started === status.started && status.counted > last.counted) {
      this.rate = (status.lines.read - last.lines.read) / (status.counted - last.counted);
    }
    this.status = status;
    this.seen = Date.now() / 1000;
  }
}

export const server = new Server();
