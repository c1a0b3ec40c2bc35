/** Answers whose readers take their time: columns that are given back meanwhile and computed again. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readColumns } from '../../src/wasm/columns.js';
import type { Core } from '../../src/wasm/core.js';
import { encodeRequest, type SeriesQuery } from '../../src/wasm/request.js';
import type { Series } from '../support/client.js';
import { coreModule, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import type { Range } from './model.js';

const METRICS = new Map([
  ['flops', metric(60, 'avg')],
  ['load', metric(60)],
  ['fast', metric(1)],
]);
const MINUTES = 4000;
/** More than are computed again at once, with a gap between two stretches of samples. */
const SECONDS = 100_000;
const END = T0 + 60 * MINUTES;
const RANGE: Range = { cluster: 'c', from: T0 - 600, to: END, withStats: true, withData: true, withPadding: true };

const QUERIES: SeriesQuery[] = [
  seriesQuery({ metric: 'load', host: 'a' }),
  seriesQuery({ metric: 'load', host: 'a', resolution: 240, scaleBy: -2 }),
  seriesQuery({ metric: 'flops', host: 'a', scaleBy: 0.5 }),
  seriesQuery({ metric: 'flops', host: 'a', type: 'hwthread', typeIds: ['0', '3', '9', '5'] }),
  seriesQuery({ metric: 'fast', host: 'a' }),
];
/** Together their columns take more than those that rest may. */
const READERS = 120;

function filled(): Core {
  const random = seeded(5);
  const core = startCore(METRICS, { module: coreModule('core.debug.wasm') });
  for (let minute = 0; minute < MINUTES; minute++) {
    const time = T0 + 60 * minute;
    let text = random() < 0.95 ? `load,cluster=c,hostname=a value=${random() * 100} ${time}\n` : '';
    for (let id = 0; id < 6; id++)
      text += `flops,cluster=c,hostname=a,type=hwthread,type-id=${id} value=${random() * 1e6} ${time}\n`;
    store(core, text);
    core.writes.logTaken();
  }
  let text = '';
  for (const second of [...Array(1000).keys()].flatMap((i) => [i, SECONDS - i]))
    text += `fast,cluster=c,hostname=a value=${random()} ${T0 + second}\n`;
  store(core, text);
  return core;
}

/** Steps of an answer, each of which may rest behind it. */
class Reader {
  readonly #core: Core;
  readonly #state: number;
  readonly #pieces: Buffer[] = [];
  done = false;

  constructor(core: Core) {
    this.#core = core;
    this.#state = core.reads.queryBegin(encodeRequest({ ...RANGE, queries: QUERIES }, QUERIES));
  }

  step(budget: number, rests: boolean): void {
    if (this.done) return;
    const { bytes, done } = this.#core.reads.queryStep(this.#state, budget);
    this.#pieces.push(Buffer.from(bytes));
    this.done = done;
    if (done) this.#core.reads.queryEnd(this.#state);
    else if (rests) this.#core.reads.queryRest(this.#state);
  }

  leave(): void {
    if (!this.done) this.#core.reads.queryEnd(this.#state);
    this.done = true;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}

function readWhole(core: Core): string {
  const reader = new Reader(core);
  while (!reader.done) reader.step(1 << 20, false);
  return reader.text;
}

const listsOf = (text: string): Series[][] => JSON.parse(`[${text.slice(1)}]`) as Series[][];

let core: Core;
beforeAll(() => {
  core = filled();
});

describe('answers that rest', () => {
  it('are to the byte what they are at once, and take a bounded part of linear memory', () => {
    const whole = readWhole(core);
    expect(whole).not.toContain('error');
    const before = core.figures.memory.scratch;
    const readers = Array.from({ length: READERS }, () => new Reader(core));
    // The first ones get further than the last.
    for (let round = 0; round < 6; round++) {
      for (const [i, reader] of readers.entries()) if (i % 6 >= round) reader.step(3000, true);
    }
    const columns = READERS * 8 * MINUTES;
    expect(core.figures.memory.scratch - before).toBeLessThan(columns * 0.75);
    for (const reader of readers.slice(0, 12)) while (!reader.done) reader.step(40_000, true);
    for (const reader of readers.slice(0, 12)) expect(reader.text === whole).toBe(true);
    for (const reader of readers) reader.leave();
    expect(core.figures.memory.scratch).toBe(before);
    // Nobody rests any more: the next ones may keep theirs.
    const next = new Reader(core);
    next.step(3000, true);
    expect(core.figures.memory.scratch - before).toBeGreaterThan(8 * MINUTES);
    next.leave();
  });

  it('come in pieces of bytes, however long an entry is', () => {
    const query = QUERIES.slice(-1);
    const state = core.reads.queryBegin(encodeRequest({ ...RANGE, queries: query }, query));
    const pieces: number[] = [];
    for (let done = false; !done; ) {
      const piece = core.reads.queryStep(state, 3000);
      pieces.push(piece.bytes.length);
      done = piece.done;
    }
    core.reads.queryEnd(state);
    expect(pieces.reduce((a, b) => a + b, 0)).toBeGreaterThan(5 * SECONDS);
    expect(Math.max(...pieces)).toBeLessThan(40_000);
  });

  it('the same as columns', () => {
    const read = (rests: boolean): number[][] => {
      const state = core.reads.queryBegin(encodeRequest({ ...RANGE, queries: QUERIES }, QUERIES));
      const values: number[][] = QUERIES.map(() => []);
      for (let done = false; !done; ) {
        const piece = core.reads.columnsStep(state, 5000);
        for (const part of readColumns(new Uint8Array(piece.bytes)))
          if ('values' in part) values[part.query]?.push(...part.values);
        done = piece.done;
        if (rests) core.reads.queryRest(state);
      }
      core.reads.queryEnd(state);
      return values;
    };
    const others = Array.from({ length: READERS }, () => new Reader(core));
    for (const other of others) other.step(3000, true);
    expect(read(true)).toEqual(read(false));
    for (const other of others) other.leave();
  });

  it('have what was freed meanwhile as missing, in its place', () => {
    const freed = filled();
    const others = Array.from({ length: READERS }, () => new Reader(freed));
    for (const other of others) other.step(3000, true);
    const [last] = others.slice(-1);
    const lists = listsOf(readWhole(freed));
    freed.writes.free(['c', 'a'], END + SECONDS);
    while (!last?.done) last?.step(1 << 20, true);
    const after = listsOf(last?.text ?? '');
    const dataOf = ([list]: Series[][]): (number | null)[] => list?.[0]?.data ?? [];
    expect(after[0]?.[0]?.from).toBe(lists[0]?.[0]?.from);
    expect(dataOf(after).length).toBe(dataOf(lists).length);
    const known = dataOf(after).findIndex((value, i) => value !== dataOf(lists)[i]);
    expect(known).toBeGreaterThan(0);
    expect(new Set(dataOf(after).slice(known))).toEqual(new Set([null]));
    for (const other of others) other.leave();
  });
});
