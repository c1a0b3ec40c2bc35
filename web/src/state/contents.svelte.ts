/**
 * What the view of the store asks for beside the status: what is held of all clusters, who writes, what is not configured, and the
 * stores of its cluster.
 */
import type { ClusterAnswer, ContentsAnswer, MetricsSeen, Writer } from '../api/answers.js';
import { ApiError } from '../api/client.js';
import { repeat } from './repeat.js';
import { server } from './server.svelte.js';
import { session } from './session.svelte.js';

/** The server counts anew only every 30 s. */
const CONTENTS_SECONDS = 30;
const OTHERS_SECONDS = 10;
/** As often as stores say how they are. */
const CLUSTER_SECONDS = 2;

export class StoreContents {
  held = $state.raw<ContentsAnswer | undefined>();
  seen = $state.raw<MetricsSeen | undefined>();
  writers = $state.raw<Writer[] | undefined>();
  /** Undefined: the store is alone, or has not answered yet. */
  cluster = $state.raw<ClusterAnswer | undefined>();
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
      this.#repeat(CLUSTER_SECONDS, async (signal) => {
        if (server.config?.cluster) this.cluster = await client.json<ClusterAnswer>('api/cluster', { signal });
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
