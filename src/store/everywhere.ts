/** Main thread. Calls to all partitions, or to those that a question concerns, and what their answers come to together. */
import { type Contents, ContentsSum } from '../partition/contents.js';
import type { CallName, Calls } from './client.js';
import { mergeSummaries, sum } from './merge.js';
import type { Placement } from './placement.js';
import type { ClusterSummary, NodeHealth, NodeSpan } from './store.js';

/** Each method is that of `Store` with its name. */
export class Everywhere {
  readonly #placement: Placement;

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  #call<N extends CallName>(partition: number, name: N, args: Calls[N]['args']): Promise<Calls[N]['result']> {
    return this.#placement.clientOf(partition).call(partition, name, args);
  }

  /** The call, in every partition. */
  #all<N extends CallName>(name: N, args: Calls[N]['args']): Promise<Calls[N]['result'][]> {
    return Promise.all(this.#placement.partitions.map((partition) => this.#call(partition, name, args)));
  }

  async free(to: number, selectors: string[][]): Promise<number> {
    const partitions = this.#partitionsOf(selectors);
    return sum(await Promise.all(partitions.map((partition) => this.#call(partition, 'free', { to, selectors }))));
  }

  /** Partitions that may have something below one of the selectors. */
  #partitionsOf(selectors: string[][]): readonly number[] {
    const hosts = selectors.filter(([cluster, host]) => cluster !== undefined && host !== undefined);
    if (hosts.length < selectors.length) return this.#placement.partitions;
    return [...new Set(hosts.map(([cluster = '', host = '']) => this.#placement.partitionOf(cluster, host)))];
  }

  async clusters(): Promise<string[]> {
    return [...new Set((await this.#all('clusters', {})).flat())].sort();
  }

  async levelNames(depth: number, isStrong = false): Promise<string[]> {
    const parts = await this.#all('levelNames', { depth, isStrong });
    return [...new Set(parts.flatMap(({ names }) => names))];
  }

  async treeChanges(isStrong = false): Promise<string> {
    return (await this.#all('treeChanges', { isStrong })).join();
  }

  async contents(): Promise<Contents[]> {
    const contents = new ContentsSum();
    for (const part of (await this.#all('contents', {})).flat()) contents.add(part);
    return contents.all();
  }

  /** @param metrics names of those that are asked for. */
  async units(metrics: string[]): Promise<Map<string, string>> {
    // The first partition that knows one counts.
    return new Map((await this.#all('units', { metrics })).flat().reverse());
  }

  async summary(): Promise<ClusterSummary[]> {
    return mergeSummaries((await this.#all('summary', {})).flat());
  }

  async nodes(cluster: string): Promise<NodeSpan[]> {
    const parts = await this.#all('nodes', { cluster });
    return parts.flat().sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async health(cluster: string, nodes: string[], metrics: string[]): Promise<Map<string, NodeHealth>> {
    const byPartition = new Map<number, string[]>();
    for (const node of nodes) {
      const partition = this.#placement.partitionOf(cluster, node);
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), node]);
    }
    const parts = await Promise.all(
      [...byPartition].map(([partition, some]) => this.#call(partition, 'health', { cluster, nodes: some, metrics })),
    );
    const found = new Map(parts.flat());
    const ordered = new Map<string, NodeHealth>();
    for (const node of nodes) {
      const health = found.get(node);
      if (health) ordered.set(node, health);
    }
    return ordered;
  }
}
