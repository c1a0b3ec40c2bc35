/**
 * Kept roll-ups against roll-ups that are made anew each time: two cores that do the same, one of which keeps nothing. Every answer
 * must be the same to the byte. Fixed seeds.
 */
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import type { SeriesQuery } from '../../src/store/store.js';
import type { Core } from '../../src/wasm/core.js';
import {
  askText,
  checkpoint,
  coreModule,
  load,
  metric,
  seriesQuery,
  startCore,
  store,
  T0,
} from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { pick } from './spelling.js';

const METRICS = new Map<string, MetricConfig>([
  ['flops', metric(60, 'sum')],
  ['clock', metric(10, 'avg')],
  ['load', metric(60)],
]);
const HOSTS = ['h0', 'h1', 'h2'];
const LONG = process.env.CCMS_LONG === '1';

interface Thread {
  host: string;
  /** Of a host's threads, some hang below another level. */
  tags: string;
  /** Seconds that its samples are off its host's. */
  off: number;
}

class Pair {
  readonly kept: Core;
  readonly anew: Core;
  readonly #random: () => number;
  readonly #threads: Thread[] = [];
  /** Time of each host's next samples. */
  readonly #times = new Map<string, number>();
  /** Answers for which something had been kept. */
  served = 0;

  constructor(seed: number, module: WebAssembly.Module) {
    this.#random = seeded(seed);
    this.kept = startCore(METRICS, { module });
    this.anew = startCore(METRICS, { module });
    for (const host of HOSTS) {
      this.#times.set(host, T0);
      for (let i = 0; i < 6; i++) this.#addThread(host, i);
    }
  }

  #int(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #addThread(host: string, id: number): void {
    const tags = id % 5 === 4 ? `type=socket,type-id=0,stype=core,stype-id=${id}` : `type=hwthread,type-id=${id}`;
    const r = this.#random();
    // Off by whole bins, or by part of one: then nothing may be kept of the host.
    const off = host !== 'h0' && r < 0.05 ? 7 : r < 0.2 ? -120 : 0;
    this.#threads.push({ host, tags, off });
  }

  #line(thread: Thread, time: number): string {
    const name = pick(this.#random, ['flops', 'flops', 'clock']);
    return this.#sample(name, thread, time);
  }

  #sample(name: string, { host, tags, off }: Thread, time: number): string {
    const value = this.#random() * 10 ** this.#int(12);
    return `${name},cluster=c,hostname=${host},${tags} value=${value} ${time + off}\n`;
  }

  /** What both do. */
  #both(action: (core: Core) => void): void {
    action(this.kept);
    action(this.anew);
  }

  #store(text: string): void {
    if (!text) return;
    this.#both((core) => {
      store(core, text);
      core.writes.logTaken();
    });
  }

  /** A stretch of time passes on a host. */
  #goOn(): void {
    const host = pick(this.#random, HOSTS);
    let text = '';
    let time = this.#times.get(host) ?? T0;
    const threads = this.#threads.filter((thread) => thread.host === host);
    const silent = this.#random() < 0.2 ? pick(this.#random, threads) : undefined;
    for (let steps = 1 + this.#int(200); steps > 0; steps--) {
      for (const thread of threads) {
        if (thread === silent || this.#random() < 0.001) continue;
        for (const name of ['flops', 'clock']) text += this.#sample(name, thread, time);
        if (thread.tags.includes('stype')) text += this.#sample('load', thread, time);
      }
      time += this.#random() < 0.01 ? 60 * this.#int(300) : 60;
    }
    this.#times.set(host, time);
    this.#store(text);
  }

  /** Samples of other times: just written, long ago, before everything. */
  #late(): void {
    const thread = pick(this.#random, this.#threads);
    const newest = this.#times.get(thread.host) ?? T0;
    let text = '';
    const time = newest - 60 * this.#int(pick(this.#random, [3, 150, 2000, 6000]));
    for (let i = 1 + this.#int(this.#random() < 0.2 ? 200 : 3); i > 0; i--) text += this.#line(thread, time + 60 * i);
    this.#store(text);
  }

  #free(): void {
    const times = [...this.#times.values()];
    const to = Math.min(...times) - 60 * this.#int(3000);
    const r = this.#random();
    if (r < 0.3) {
      const names = pick(this.#random, [['c'], ['c', 'h1'], ['c', 'h2', 'hwthread1']]);
      this.#both((core) => {
        core.writes.free(names, r < 0.1 ? T0 * 2 : to);
        core.writes.logTaken();
      });
      return;
    }
    const first = this.#int(this.kept.series.end);
    const n = 1 + this.#int(8);
    // Part of a pass: between its steps come queries.
    this.#both((core) => core.writes.retainStep(first, n, to));
  }

  /** What a checkpoint of one core says is read by both. */
  #read(): void {
    const file = checkpoint(this.kept, true);
    checkpoint(this.anew, true);
    if (this.#random() < 0.5) this.#late();
    this.#both((core) => load(core, [file]));
  }

  #import(): void {
    const { host, off } = pick(this.#random, this.#threads);
    const start = (this.#times.get(host) ?? T0) - 60 * this.#int(3000) + off;
    const values = Float64Array.from({ length: this.#int(400) }, () => this.#random() * 1e6);
    const id = this.#int(8);
    this.#both((core) => core.series.importRun(['c', host, `hwthread${id}`], 'flops', start, 60, values, 0));
  }

  step(): void {
    const r = this.#random();
    if (r < 0.25) this.#goOn();
    else if (r < 0.35) this.#late();
    else if (r < 0.37) this.#free();
    else if (r < 0.375) this.#read();
    else if (r < 0.39) this.#import();
    else if (r < 0.4) this.#addThread(pick(this.#random, HOSTS), this.#int(12));
    else this.ask();
  }

  #query(): SeriesQuery {
    const { metric: name, host } = {
      metric: pick(this.#random, ['flops', 'clock', 'load']),
      host: pick(this.#random, HOSTS),
    };
    const more = {
      scaleBy: pick(this.#random, [0, 0, 0, -3, 1e-6]),
      resolution: pick(this.#random, [0, 0, 0, 120, 600]),
    };
    const r = this.#random();
    if (r < 0.6) return seriesQuery({ metric: name, host, ...more });
    if (r < 0.7) return seriesQuery({ metric: name, host, type: 'socket', typeIds: ['0'], ...more });
    const typeIds = pick(this.#random, [
      ['0', '1', '2', '3'],
      ['3', '1', '0', '2'],
      ['0', '1', '2', '3', '5', '6', '7', '8', '10'],
    ]);
    return seriesQuery({ metric: name, host, type: 'hwthread', typeIds, aggregate: r < 0.9, ...more });
  }

  ask(): void {
    const queries = Array.from({ length: 1 + this.#int(4) }, () => this.#query());
    const newest = Math.max(...this.#times.values());
    const from = this.#random() < 0.3 ? T0 - 1000 : newest - 60 * this.#int(4000);
    const range = {
      cluster: 'c',
      from,
      to: this.#random() < 0.6 ? newest + this.#int(300) : from + 60 * this.#int(2000),
      withStats: this.#random() < 0.8,
      withData: this.#random() < 0.7,
      withPadding: this.#random() < 0.5,
    };
    const budget = this.#random() < 0.3 ? 1024 : 1 << 20;
    if (this.kept.figures.memory.rollups) this.served++;
    const text = askText(this.kept, range, queries, budget);
    this.anew.writes.retainEnd();
    const expected = askText(this.anew, range, queries, budget);
    if (text !== expected) expect(JSON.parse(text)).toEqual(JSON.parse(expected));
    expect(text === expected).toBe(true);
  }
}

describe('answers with kept roll-ups', () => {
  const seeds = LONG ? Array.from({ length: 200 }, (_, i) => i + 1) : [1, 2, 3, 4, 7, 58];
  for (const seed of seeds) {
    for (const name of seed % 4 ? ['core.wasm'] : ['core.wasm', 'core.debug.wasm']) {
      it(`are those without, seed ${seed}, ${name}`, () => {
        const pair = new Pair(seed, coreModule(name));
        for (let i = 0; i < 400; i++) pair.step();
        expect(pair.served).toBeGreaterThan(100);
      });
    }
  }
});
