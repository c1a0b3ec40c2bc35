/**
 * The core against the plain model (model.ts): random writes of every kind, then the same answers and the same bits from
 * the core itself, from its log, from its checkpoints, in any number of partitions. Fixed seeds.
 */
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import type { SeriesQuery } from '../../src/store/store.js';
import type { Core } from '../../src/wasm/core.js';
import type { ExportedSeries } from '../../src/wasm/series.js';
import type { Series } from '../support/client.js';
import {
  ask,
  checkpoint,
  coreModule,
  exportAll,
  keyOf,
  load,
  metric,
  replay,
  seriesQuery,
  startCore,
  store,
  T0,
  takeLog,
} from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { endBin, firstBin, Model, type ModelSeries, type Range, type Sample } from './model.js';
import { pick, spell } from './spelling.js';

const METRICS = new Map<string, MetricConfig>([
  ['flops', metric(60, 'sum')],
  ['clock', metric(10, 'avg')],
  ['load', metric(7)],
  ['odd =,metric', metric(1)],
]);
const LEVELS = [
  ['alex', 'a0101'],
  ['alex', 'a0101', 'socket0'],
  ['alex', 'a0101', 'socket1'],
  ['alex', 'a0101', 'hwthread1'],
  ['alex', 'a0101', 'hwthread11'],
  ['alex', 'a0101', 'accelerator00000000:49:00.0', 'mig0'],
  ['alex', 'a0101', 'accelerator00000000:49:00.0', 'mig1'],
  ['alex', 'a0102', 'hwthread0'],
  ['alex', 'a0102', 'hwthread1'],
  ['alex', 'a010'],
  ['fritz', 'a0101'],
  ['fritz', 'node 1,2=3'],
  ['fritz', 'ñandú', 'socket0'],
];
const CLUSTER = 'fritz';

/** Where a writer of one series stands. */
interface Writer {
  levels: string[];
  metric: string;
  frequency: number;
  time: number;
}

class World {
  readonly model = new Model(METRICS);
  readonly core: Core;
  readonly random: () => number;
  /** Closed segments since the last checkpoint, and checkpoint files. */
  segments: Uint8Array[] = [];
  files: Uint8Array[] = [];
  /** All segments ever. */
  readonly history: Uint8Array[] = [];
  #segment: Uint8Array[] = [];
  readonly #writers: Writer[] = [];

  constructor(
    seed: number,
    readonly module: WebAssembly.Module,
  ) {
    this.random = seeded(seed);
    this.core = startCore(METRICS, { module });
    for (const levels of LEVELS) {
      for (const [name, { frequency }] of METRICS) {
        // A level holds a metric itself, or its children do.
        const inner = levels.length === 2 && levels[1] === 'a0101' && levels[0] === 'alex' && name !== 'load';
        if (!inner) this.#writers.push({ levels, metric: name, frequency, time: T0 + this.#int(3 * frequency) });
      }
    }
  }

  #int(n: number): number {
    return Math.floor(this.random() * n);
  }

  #value(name: string): number {
    const { random } = this;
    // Sums of these are exact in any order.
    if (name !== 'load') return (this.#int(1 << 20) - 1000) / 1024;
    const r = random();
    if (r < 0.3) return this.#int(1000) / 1000;
    if (r < 0.4) return this.#int(10);
    if (r < 0.5) return 42;
    if (r < 0.55) return pick(random, [0, -0, 5e-324, -1e305, 1e22, 0.1, 2 ** 53 + 2, -(2 ** 31)]);
    return (random() - 0.5) * 10 ** this.#int(20);
  }

  /** Moves a writer on and says what it writes. */
  #samples(writer: Writer): Sample[] {
    const { random } = this;
    const f = writer.frequency;
    const { levels, metric: name } = writer;
    const at = (time: number): Sample => ({ levels, metric: name, time: Math.max(1, time), value: this.#value(name) });
    const r = random();
    if (r < 0.62) {
      writer.time += f;
      return [at(writer.time + (random() < 0.5 ? 0 : this.#int(f) - Math.floor(f / 2)))];
    }
    if (r < 0.7) return [at(writer.time)];
    if (r < 0.8) return [at(writer.time - f * this.#int(200))];
    if (r < 0.85) return [at(writer.time - f * this.#int(5000))];
    if (r < 0.9) {
      writer.time += f * (1 + this.#int(10));
      return [at(writer.time)];
    }
    if (r < 0.91) {
      writer.time += f * 10 ** (2 + this.#int(3));
      return [at(writer.time)];
    }
    if (r < 0.912) return [at(writer.time + f * this.#int(1e5))];
    if (r < 0.93) {
      // A stretch backwards, as a sender that empties its stack.
      const start = writer.time - f * this.#int(3000);
      return Array.from({ length: this.#int(300) }, (_, i) => at(start - i * f));
    }
    return Array.from({ length: this.#int(120) }, () => {
      writer.time += f;
      return at(writer.time);
    });
  }

  /** Writes batches until there were so many samples. */
  write(samples: number): void {
    for (let left = samples; left > 0; ) {
      let text = '';
      for (let lines = 1 + this.#int(60); lines > 0; lines--) {
        const writer = pick(this.random, this.#writers);
        const standing = this.random() < 0.7;
        for (const sample of this.#samples(writer)) {
          this.model.write(sample);
          text += spell(this.random, sample, standing, CLUSTER);
          left--;
        }
        if (this.random() < 0.02) text += `unknown,hostname=a0101,job=${this.#int(50)} value="a\nb" 1\n`;
      }
      store(this.core, text, CLUSTER);
      if (this.random() < 0.3) this.flush();
      if (this.random() < 0.02) this.rotate();
    }
    this.flush();
  }

  flush(): void {
    this.#segment.push(takeLog(this.core));
  }

  rotate(): void {
    this.flush();
    const segment = Buffer.concat(this.#segment);
    this.segments.push(segment);
    this.history.push(segment);
    this.#segment = [];
    this.core.writes.logStartSegment();
  }

  /** As src/partition/partition.ts makes one, with writes going on. */
  checkpoint(full: boolean): void {
    this.rotate();
    this.segments = [];
    const file = checkpoint(this.core, full, 1024 + this.#int(8192), () => {
      if (this.random() < 0.3) this.write(50);
    });
    this.files = full ? [file] : [...this.files, file];
  }

  /** Fresh cores with the same content. @param files, segments to read, in this order. */
  reload(partitions: number, files: Uint8Array[], segments: Uint8Array[]): Core[] {
    return Array.from({ length: partitions }, (_, index) => {
      const core = startCore(METRICS, { index, partitions, module: this.module });
      load(core, files);
      for (const segment of segments) replay(core, segment);
      core.files.loadEnd();
      return core;
    });
  }

  /** A query for something that may be there. */
  query(): SeriesQuery {
    const { random } = this;
    const [, host = ''] = random() < 0.05 ? ['', 'nowhere'] : pick(random, LEVELS);
    const name = random() < 0.03 ? 'unknown' : pick(random, [...METRICS.keys()]);
    const scaleBy = pick(random, [0, 0, 1, 8, -2, 0.5]);
    const type = pick(random, [undefined, undefined, 'hwthread', 'socket', 'accelerator']);
    if (type === undefined) return seriesQuery({ metric: name, host, scaleBy });
    const typeIds =
      type === 'accelerator'
        ? ['00000000:49:00.0']
        : pick(random, [['0'], ['1', '11'], ['0', '1', '2'], ['11', '1'], []]);
    const withSubtype = type === 'accelerator' && random() < 0.7;
    const subtypeIds = withSubtype ? pick(random, [['0'], ['0', '1'], ['1', '7', '0']]) : [];
    const aggregate = random() < 0.5;
    return seriesQuery({
      metric: name,
      host,
      scaleBy,
      type,
      typeIds,
      aggregate,
      ...(withSubtype && { subtype: 'mig', subtypeIds }),
    });
  }

  range(): Range {
    const { random } = this;
    const series = pick(random, [...this.model.series.values()]);
    const time = (bin: number): number => series.first + bin * series.frequency;
    const first = firstBin(series);
    const span = endBin(series) - first;
    const bin = first + this.#int(span + 20) - 10;
    const from = time(bin) + this.#int(series.frequency);
    const length = random() < 0.3 ? this.#int(3000) : this.#int(200);
    const to = random() < 0.02 ? from - 1 : random() < 0.03 ? from : from + series.frequency * length + this.#int(7);
    return {
      cluster: series.levels[0] ?? '',
      from: Math.max(0, from),
      to,
      withStats: random() < 0.8,
      withData: random() < 0.8,
      withPadding: random() < 0.6,
    };
  }
}

const NUMBERS = new Float64Array(1);
const BITS = new BigUint64Array(NUMBERS.buffer);

function bitsOf(value: number): bigint {
  NUMBERS[0] = value;
  return BITS[0] ?? 0n;
}

/** Where a series' exported bins are not the model's. */
function seriesDifference(series: ModelSeries, got: ExportedSeries | undefined): string | undefined {
  const { frequency: f, bins, freed, first } = series;
  const key = keyOf(series.levels, series.metric);
  if (!got) return `${key} is missing`;
  if (got.frequency !== f || (got.start - first) % f !== 0) return `${key} has another grid`;
  const shift = (got.start - first) / f;
  let found = 0;
  for (const [i, value] of got.values.entries()) {
    const bin = i + shift;
    const want = bins.get(bin);
    if (Number.isNaN(value)) {
      if (want !== undefined) return `${key}: bin ${bin} is missing, want ${want}`;
      continue;
    }
    if (want !== undefined) found++;
    if (bitsOf(value) !== bitsOf(want ?? freed.get(bin) ?? Number.NaN)) {
      return `${key}: bin ${bin} of ${firstBin(series)}..${endBin(series)} is ${value}, want ${want}`;
    }
  }
  return found === bins.size ? undefined : `${key}: ${found} samples, want ${bins.size}`;
}

function expectSame(world: World, cores: Core[]): void {
  const all = exportAll(cores);
  const problems = [...world.model.series].map(([key, series]) => seriesDifference(series, all.get(key)));
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  expect(all.size).toBe(world.model.series.size);
}

/** Asks the core that holds each query's host; compares with the model. */
function expectSameAnswers(world: World, cores: Core[], queries: number): void {
  for (let i = 0; i < queries; i += 5) {
    const range = world.range();
    const list = Array.from({ length: 5 }, () => world.query());
    const want = list.map((query) => world.model.query(range, query));
    const budget = pick(world.random, [1, 100, 1 << 16]);
    const [only] = cores;
    if (!only) throw new Error('no core to ask');
    const got = list.map((query) => {
      const core = cores.find((some) => some.owns(range.cluster, query.host));
      return core ? (ask(core, range, [query], budget)[0] ?? []) : [];
    });
    const asked = JSON.stringify({ range, list });
    expectEqual(comparable(got, want), want, asked);
    if (cores.length === 1) expectEqual(comparable(ask(only, range, list, budget), want), want, asked);
  }
}

/** `toEqual` takes its time with long lists, so it only tells what differs. */
function expectEqual(got: Series[][], want: Series[][], asked: string): void {
  if (JSON.stringify(got) !== JSON.stringify(want)) expect(got, asked).toEqual(want);
}

/** Answers without what may differ: the wording of errors, and an average's last digit (sums are added in other orders). */
function comparable(got: Series[][], want: Series[][]): Series[][] {
  return got.map((entries, i) =>
    entries.map((answer, j): Series => {
      const wanted = want[i]?.[j];
      if (answer.error !== undefined) return { ...answer, error: 'some' };
      if (typeof answer.avg !== 'number' || typeof wanted?.avg !== 'number') return answer;
      const isClose = Math.abs(answer.avg - wanted.avg) <= 1e-9 * Math.abs(wanted.avg);
      return isClose ? { ...answer, avg: wanted.avg } : answer;
    }),
  );
}

/** Frees through the core; the model learns from the core which blocks went, and checks that they were old. */
function free(world: World, selector: string[], to: number): void {
  const { core, model } = world;
  const freed = core.writes.free(selector, to);
  const all = exportAll([core]);
  let gone = 0;
  for (const [key, series] of [...model.series]) {
    const { frequency: f, bins } = series;
    const chosen = selector.every((name, i) => series.levels[i] === name);
    const got = all.get(key);
    const left = got ? (got.start - series.first) / f : Number.POSITIVE_INFINITY;
    const anchor = series.first - Math.floor(f / 2);
    for (const [bin, value] of bins) {
      if (bin >= left) continue;
      expect(chosen && anchor + (bin + 1) * f <= to, `${key}: bin ${bin} was freed`).toBe(true);
      bins.delete(bin);
      series.freed.set(bin, value);
      gone++;
    }
    if (!bins.size) model.remove(key);
    else if (chosen) {
      // Blocks have at most 512 bins: whatever is older than that must be gone.
      expect(anchor + (firstBin(series) + 512) * f, `${key} keeps old bins`).toBeGreaterThan(to);
    }
  }
  expect(freed > 0).toBe(gone > 0);
}

function run(seed: number, module: WebAssembly.Module, samples: number, queries: number): void {
  const world = new World(seed, module);
  const { core } = world;
  const check = (cores: Core[]): void => {
    expectSame(world, cores);
    expectSameAnswers(world, cores, queries);
  };
  for (let phase = 0; phase < 3; phase++) {
    world.write(samples);
    check([core]);
    world.rotate();
    for (const partitions of [1, 3]) check(world.reload(partitions, [], world.history));
    // Incremental checkpoints, each with what was written since; the log goes on behind the last.
    world.checkpoint(phase === 2);
    check([core]);
    world.write(samples / 4);
    world.rotate();
    for (const partitions of [1, 3]) {
      const cores = world.reload(partitions, world.files, world.segments);
      check(cores);
      // What was loaded can be written on.
      if (partitions === 1 && cores[0]) writeOn(world, cores[0]);
    }
  }
  core.files.checkpointForget();
  world.checkpoint(false);
  world.rotate();
  check(world.reload(2, [world.files.at(-1) ?? new Uint8Array(0)], world.segments));

  // Freeing.
  free(world, ['alex', 'a0101'], T0 + 100_000);
  expectSame(world, [core]);
  free(world, [], T0 + 200_000);
  free(world, ['fritz', 'nobody'], T0 + 1e9);
  check([core]);
  free(world, ['alex', 'a0102', 'hwthread1'], T0 + 1e9);
  world.write(samples / 2);
  check([core]);
  world.rotate();
  expectSame(world, world.reload(1, [], world.history));
  expectSame(world, world.reload(3, [], world.history));
  world.checkpoint(true);
  world.rotate();
  check(world.reload(3, world.files, world.segments));
  free(world, [], Number.MAX_SAFE_INTEGER);
  expect(core.figures.series).toBe(0);
  expect(core.figures.hosts).toBe(0);
  world.write(samples / 4);
  check([core]);
}

/** The same samples into the loaded core and into a copy of the model's bins. */
function writeOn(world: World, loaded: Core): void {
  const { random } = world;
  for (const [key, { levels, metric: name, frequency, first, bins }] of world.model.series) {
    const copy: ModelSeries = { levels, metric: name, frequency, first, bins: new Map(bins), freed: new Map() };
    const ends = [firstBin(copy), endBin(copy)];
    const known = [...bins.keys()];
    let text = '';
    for (let i = 0; i < 40; i++) {
      const bin = random() < 0.5 ? pick(random, known) : pick(random, ends) + Math.floor(random() * 300) - 150;
      const value = Math.floor(random() * 100);
      const time = first + bin * frequency;
      if (time <= 0) continue;
      copy.bins.set(bin, value);
      text += spell(random, { levels, metric: name, time, value }, true, CLUSTER);
    }
    store(loaded, text, CLUSTER);
    loaded.writes.logTaken();
    expect(seriesDifference(copy, exportAll([loaded]).get(key))).toBeUndefined();
  }
}

describe('the core and the model agree', () => {
  const seeds = process.env.CCMS_LONG ? Array.from({ length: 40 }, (_, i) => i + 1) : [1, 2];
  for (const seed of seeds) {
    it(`about everything, seed ${seed}`, () => run(seed, coreModule(), 4000, 60));
  }

  it('with the assertions of the debug build on', () => run(4, coreModule('core.debug.wasm'), 1000, 25));
});
