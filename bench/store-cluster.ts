/** Stores under test that are one cluster, and the nats-server between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nats } from './nats.js';
import { Server, type ServerOptions } from './server.js';
import { requestBytes } from './wire.js';

/** What of /api/cluster is looked at. */
interface ClusterView {
  copiesMissing: number;
  members: { state: string }[];
  partitions: { acked: number; holders: { saved: number }[] }[];
}

const GIVE_UP_MS = 120_000;
const POLL_MS = 20;
/** As by default. */
export const PARTITIONS = 32;
const STATUS = requestBytes('GET', '/api/cluster', '');

export class StoreCluster {
  private constructor(
    readonly nats: Nats,
    readonly stores: readonly Server[],
  ) {}

  /** Starts so many stores, and waits until each has all copies that are its own. */
  static async start(
    options: ServerOptions,
    count: number,
    replicas: number,
    partitions = PARTITIONS,
  ): Promise<StoreCluster> {
    const nats = await Nats.start();
    const started = await Promise.allSettled(
      Array.from({ length: count }, (_, i) =>
        Server.start({
          ...options,
          sections: (port) => nats.sections(port, `store${i + 1}`, { partitions, replicas }),
        }),
      ),
    );
    const stores = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const cluster = new StoreCluster(nats, stores);
    try {
      const failed = started.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      await cluster.isWhole();
      return cluster;
    } catch (error) {
      await cluster.discard();
      throw error;
    }
  }

  /** Waits until each store has all copies that are its own. */
  async isWhole(): Promise<void> {
    for (const store of this.stores) await isWhole(store, this.stores.length);
  }

  /** Removes what the streams hold, once it is on the disks of all stores: who has lost its own copies from others then. */
  async trim(): Promise<void> {
    const [first] = this.stores;
    await until('all messages to be saved', async () => {
      const answer = await first?.ask(STATUS);
      const { partitions } = JSON.parse(answer?.body ?? '{"partitions":[]}') as ClusterView;
      return partitions.every(({ acked, holders }) => holders.every(({ saved }) => saved >= acked));
    });
    await this.nats.purge();
  }

  async discard(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.discard()));
    await this.nats.stop();
  }
}

/** Waits until a store says that all stores live and all copies are ready. */
function isWhole(store: Server, count: number): Promise<void> {
  return until('all copies to be ready', async () => {
    const answer = await store.ask(STATUS).catch(() => undefined);
    if (answer?.status !== 200) return false;
    const { copiesMissing, members } = JSON.parse(answer.body) as ClusterView;
    return copiesMissing === 0 && members.filter(({ state }) => state === 'active').length === count;
  });
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; await sleep(POLL_MS)) {
    if (await condition()) return;
  }
  throw new Error(`waited ${GIVE_UP_MS / 1000} s in vain for ${what}`);
}
