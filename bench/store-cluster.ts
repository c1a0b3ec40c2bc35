/** Stores under test that are one cluster, and the nats-server between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nats } from './nats.js';
import { Server, type ServerOptions } from './server.js';
import { requestBytes } from './wire.js';

/** What of /api/cluster is looked at. */
interface ClusterView {
  copiesMissing: number;
  members: { state: string }[];
}

const GIVE_UP_MS = 120_000;
const POLL_MS = 20;
/** As by default. */
const PARTITIONS = 32;
const STATUS = requestBytes('GET', '/api/cluster', '');

export class StoreCluster {
  private constructor(
    readonly nats: Nats,
    readonly stores: readonly Server[],
  ) {}

  /** Starts so many stores, and waits until each has all copies that are its own. */
  static async start(options: ServerOptions, count: number, replicas: number): Promise<StoreCluster> {
    const nats = await Nats.start();
    const started = await Promise.allSettled(
      Array.from({ length: count }, (_, i) =>
        Server.start({
          ...options,
          sections: (port) => nats.sections(port, `store${i + 1}`, { partitions: PARTITIONS, replicas }),
        }),
      ),
    );
    const stores = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const cluster = new StoreCluster(nats, stores);
    try {
      const failed = started.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      for (const store of stores) await isWhole(store, count);
      return cluster;
    } catch (error) {
      await cluster.discard();
      throw error;
    }
  }

  async discard(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.discard()));
    await this.nats.stop();
  }
}

/** Waits until a store says that all stores live and all copies are ready. */
async function isWhole(store: Server, count: number): Promise<void> {
  for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; await sleep(POLL_MS)) {
    const answer = await store.ask(STATUS).catch(() => undefined);
    if (answer?.status !== 200) continue;
    const { copiesMissing, members } = JSON.parse(answer.body) as ClusterView;
    if (copiesMissing === 0 && members.filter(({ state }) => state === 'active').length === count) return;
  }
  throw new Error(`not all copies are ready within ${GIVE_UP_MS / 1000} s`);
}
