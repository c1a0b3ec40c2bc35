/** What the stores of a test have acknowledged, and whether they answer it: bins of 60 s, of hosts of cluster c, in metric m. */
import { expect } from 'vitest';
import { type TestCluster, valuesOf, writeLines } from './cluster-driver.js';

export class Ledger {
  readonly cluster: TestCluster;
  readonly hosts: readonly string[];
  /** Of the first bin. */
  readonly time: number;
  /** By host and bin. */
  readonly acknowledged: (number | null)[][];

  /** @param hosts how many. */
  constructor(cluster: TestCluster, hosts: number, time: number) {
    this.cluster = cluster;
    this.time = time;
    this.hosts = Array.from({ length: hosts }, (_, i) => `h${i}`);
    this.acknowledged = this.hosts.map(() => []);
  }

  get bins(): number {
    return this.acknowledged[0]?.length ?? 0;
  }

  /** Lines of the next bins, which count as acknowledged from now on. */
  nextLines(count = 1, sample = (bin: number, host: number): number => bin * 100 + host): string {
    const lines: string[] = [];
    for (let bin = this.bins, end = bin + count; bin < end; bin++) {
      for (const [i, host] of this.hosts.entries()) {
        const value = sample(bin, i);
        lines.push(`m,hostname=${host} value=${value} ${this.time + bin * 60}\n`);
        (this.acknowledged[i] as number[])[bin] = value;
      }
    }
    return lines.join('');
  }

  /** Writes the next bins of all hosts to a store, which has to acknowledge them. */
  async write(id: string, count?: number, sample?: (bin: number, host: number) => number): Promise<void> {
    const answer = await writeLines(this.cluster.of(id).port, this.nextLines(count, sample));
    expect(answer.status, `${answer.body}\n${this.cluster.logs()}`).toBe(200);
  }

  /** Where what a store answers is something else than what was acknowledged, in words. */
  async differences(id: string, consistency: 'session' | 'strong'): Promise<string[]> {
    const values = await valuesOf(this.cluster.of(id).port, this.hosts, this.time, this.bins, consistency);
    return this.acknowledged.flatMap((row, i) =>
      row.flatMap((value, bin) => {
        const found = values[i]?.[bin] ?? null;
        return found === value ? [] : [`${this.hosts[i]} ${bin}: ${found}, expected ${value}`];
      }),
    );
  }

  /** What a store answers is what was acknowledged, all of it. */
  async answersAll(id: string, consistency: 'session' | 'strong' = 'strong'): Promise<void> {
    const differences = await this.differences(id, consistency);
    expect(differences.slice(0, 5), `${differences.length} values of store ${id}\n${this.cluster.logs()}`).toEqual([]);
  }
}
