/** What the view of the store asks for beside the status: what is held of all clusters, who writes, and what is not configured. */
import type { ContentsAnswer, MetricsSeen, Writer } from '../api/answers.js';
import { ApiError } from '../api/client.js';
import { repeat } from './repeat.js';
import { session } from './session.svelte.js';

/** The server counts anew only every 30 s. */
const CONTENTS_SECONDS = 30;
const OTHERS_SECONDS = 10;

export class StoreContents {
  held = $state.raw<ContentsAnswer | undefined>();
  seen = $state.raw<MetricsSeen | undefined>();
  writers = $state.raw<Writer[] | undefined>();
  problem = $state<string | undefined>();

  /** Asks until the returned function is called. */
  watch(): () => void {
    const { client } = session;
    const ends = [
      this.#repeat(CONTENTS_SECONDS, async (signal) => {
        this.held = await client.json<ContentsAnswer>('api/contents', { signal });
      }),
      this.#repeat(OTHERS_SECONDS, async (signal) => {
        this.seen = await client.json<MetricsSeen>('api/metrics-seen', { signal });
        this.writers = (await client.json<{ writers: Writer[] }>('api/writers', { signal })).writers;
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  #repeat(seconds: number, ask: (signal: AbortSignal) => Promise<void>): () => void {
    return repeat(
      () => seconds,
      async (signal) => {
        try {
          await ask(signal);
          this.problem = undefined;
        } catch (error) {
          if (signal.aborted) return;
          this.problem = error instanceof ApiError ? error.message : String(error);
          throw error;
        }
      },
    );
  }
}
