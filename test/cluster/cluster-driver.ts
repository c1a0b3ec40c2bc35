/** A cluster of real stores on a real nats-server. */
import { join } from 'node:path';
import { connect } from 'nats';
import type { TestContext } from 'vitest';
import { type Answer, ask, type QueryAnswer } from '../support/client.js';
import { NatsServer } from '../support/nats-server.js';
import { type ServerOptions, type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';
import { rewritten, SOONER } from './rewritten.js';
import { TcpProxy } from './tcp-proxy.js';

export interface ClusterOptions {
  partitions?: number;
  replicas?: number;
  /** Further keys of the section. */
  cluster?: object;
  /** Further keys of `metric-store`. */
  store?: object;
  metrics?: object;
  /** Stores reach NATS and each other by way of proxies that can be cut. */
  proxies?: boolean;
  /** Stores give up, and take others for dead, sooner; see rewritten.ts. */
  isHurried?: boolean;
}

/** What /api/cluster says; see src/cluster/state.ts. */
export interface ClusterStatus {
  state: string;
  copiesMissing: number;
  partitionsMissing: number;
  lag: number | null;
  members: { id: string; state: string; holds: number; ready: number }[];
  partitions: {
    partition: number;
    owners: string[];
    holders: { id: string; applied: number; saved: number; ready: boolean }[];
    acked: number;
  }[];
}

export class TestCluster {
  readonly nats = new NatsServer();
  readonly stores = new Map<string, ServerProcess>();
  readonly #options: ClusterOptions;
  readonly #natsProxies = new Map<string, TcpProxy>();
  readonly #peerProxies = new Map<string, TcpProxy>();

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
  }

  /** One that ends with its test, on a running NATS: for tests that run beside each other. */
  static async of({ onTestFinished }: TestContext, options?: ClusterOptions, jetstream?: string): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    onTestFinished(() => cluster.stop());
    await cluster.startNats(jetstream);
    return cluster;
  }

  /** @param more of its section `jetstream`. @param sections beside it. */
  async startNats(more = '', sections = ''): Promise<void> {
    await this.nats.start(`jetstream { store_dir: "${join(this.nats.directory, 'js')}"${more} }\n${sections}`);
  }

  config(id: string, port: number): object {
    const { partitions = 4, replicas = 2, cluster, store, metrics } = this.#options;
    const natsProxy = this.#natsProxies.get(id);
    const peerProxy = this.#peerProxies.get(id);
    if (peerProxy) peerProxy.target = port;
    return {
      metrics: metrics ?? { m: { frequency: 60, aggregation: 'sum' } },
      nats: { address: natsProxy ? `nats://127.0.0.1:${natsProxy.port}` : this.nats.url },
      cluster: {
        name: 'test',
        id,
        advertise: `http://127.0.0.1:${peerProxy?.port ?? port}`,
        partitions,
        replicas,
        'stream-replicas': 1,
        ...cluster,
      },
      'metric-store': {
        'retention-in-memory': '48h',
        'memory-cap': 0,
        'num-workers': 1,
        checkpoints: { directory: './checkpoints' },
        ...store,
      },
    };
  }

  /**
   * Starts a store with a directory of its own. @param change members of sections of the configuration; a section `metrics` is replaced.
   */
  async start(id: string, change: Record<string, object> = {}, options: ServerOptions = {}): Promise<ServerProcess> {
    if (this.#options.proxies) {
      this.#natsProxies.set(id, await TcpProxy.start(this.nats.port));
      this.#peerProxies.set(id, await TcpProxy.start(0));
    }
    const store = await startServer(
      (port) => {
        const config = this.config(id, port) as Record<string, object>;
        for (const [section, members] of Object.entries(change)) {
          config[section] = section === 'metrics' ? members : { ...config[section], ...members };
        }
        return config;
      },
      {
        args: ['-loglevel', 'debug'],
        ...rewritten(this.#options.isHurried ? { 'chunk-cluster.js': SOONER } : {}),
        ...options,
      },
    );
    this.stores.set(id, store);
    return store;
  }

  /** Between a store and NATS. */
  natsProxy(id: string): TcpProxy {
    return found(this.#natsProxies, id);
  }

  /** Between the other stores and this one. */
  peerProxy(id: string): TcpProxy {
    return found(this.#peerProxies, id);
  }

  of(id: string): ServerProcess {
    return found(this.stores, id);
  }

  async restart(id: string, signal: NodeJS.Signals): Promise<ServerProcess> {
    const store = await this.of(id).restart(signal);
    this.stores.set(id, store);
    return store;
  }

  async status(id: string): Promise<ClusterStatus> {
    const { body } = await ask(this.of(id).port, '/api/cluster');
    return JSON.parse(body) as ClusterStatus;
  }

  /** Waits until all copies are there and ready, as a store sees it. */
  async isWhole(id: string, members = this.stores.size): Promise<void> {
    let last: unknown;
    await until(
      async () => {
        const status = await this.status(id);
        last = status;
        return (
          status.copiesMissing === 0 && status.members.filter(({ state }) => state === 'active').length === members
        );
      },
      () => `all copies to be ready: ${JSON.stringify(last)}\n${this.logs()}`,
    );
  }

  /** Removes what the streams hold, as the stores do after a quarter of an hour. */
  async trim(): Promise<void> {
    const connection = await connect({ servers: this.nats.url });
    const manager = await connection.jetstreamManager();
    for (let partition = 0; partition < (this.#options.partitions ?? 4); partition++) {
      await manager.streams.purge(`CCMS_test_${partition}`);
    }
    await connection.close();
  }

  logs(): string {
    return [...this.stores].map(([id, store]) => `--- ${id}\n${store.log()}`).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.stores.values()].map((store) => store.stop('SIGKILL')));
    await this.nats.stop();
    for (const proxy of [...this.#natsProxies.values(), ...this.#peerProxies.values()]) proxy.stop();
  }
}

function found<T>(map: ReadonlyMap<string, T>, id: string): T {
  const value = map.get(id);
  if (value === undefined) throw new Error(`there is no ${id}`);
  return value;
}

/** Values of metric m of hosts, by host and bin of 60 s. */
export async function valuesOf(
  port: number,
  hosts: readonly string[],
  from: number,
  bins: number,
  consistency: 'session' | 'strong' = 'session',
): Promise<(number | null)[][]> {
  const answer = await ask(port, `/api/query?consistency=${consistency}`, {
    method: 'POST',
    body: JSON.stringify({
      cluster: 'c',
      from,
      to: from + bins * 60,
      'with-padding': true,
      queries: hosts.map((host) => ({ metric: 'm', host })),
    }),
  });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.body}`);
  const { results } = JSON.parse(answer.body) as QueryAnswer;
  return results.map((series) => {
    const values: (number | null)[] = Array.from({ length: bins }, () => null);
    const [first] = series;
    first?.data?.forEach((value, k) => {
      const bin = Math.round((first.from - from) / 60) + k;
      if (bin >= 0 && bin < bins) values[bin] = value;
    });
    return values;
  });
}

/** Posts lines of cluster c. */
export function writeLines(port: number, lines: string): Promise<Answer> {
  return ask(port, '/api/write?cluster=c', { method: 'POST', body: lines });
}
