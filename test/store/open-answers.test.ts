/** How many answers are open at once: by what they hold in linear memory. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Jobs } from '../../src/base/jobs.js';
import type { FromWorker } from '../../src/store/protocol.js';
import { OpenAnswers } from '../../src/store/query/open-answers.js';
import { IDLE_SECONDS, OPEN_BYTES } from '../../src/store/query/sizes.js';
import type { Core } from '../../src/wasm/core.js';
import { encodeRequest, type SeriesQuery } from '../../src/wasm/request.js';
import { line, metrics, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';

const RANGE = { cluster: 'c', from: T0, to: T0 + 600, withStats: true, withData: true, withPadding: false };

/** A request that takes a little more than a third of what open answers may hold. */
function largeRequest(): Uint8Array<ArrayBuffer> {
  const typeIds = Array.from({ length: 20_000 }, (_, i) => `a-rather-long-id-${i}`);
  const one: SeriesQuery = seriesQuery({ metric: 'm', host: 'h', type: 'core', typeIds });
  const { length } = encodeRequest({ ...RANGE, queries: [] }, [one]);
  const queries = [seriesQuery({ metric: 'm', host: 'h' })];
  return encodeRequest({ ...RANGE, queries: [] }, [
    ...queries,
    ...Array.from({ length: Math.ceil(OPEN_BYTES / 3 / length) + 1 }, () => one),
  ]);
}
const LARGE = largeRequest();
const SMALL = encodeRequest({ ...RANGE, queries: [] }, [seriesQuery({ metric: 'm', host: 'h' })]);

let core: Core;
let answers: OpenAnswers;
let sent: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  core = startCore(metrics(['m', 60]));
  store(core, line('m', 'h', T0, 1));
  sent = [];
  const post = (message: FromWorker): void => {
    if (message.kind === 'failed') sent.push(`${message.id} ${message.failure.code}`);
    else if ('id' in message) sent.push(`${message.id} ${message.kind}`);
  };
  answers = new OpenAnswers(new Jobs(), () => core.reads, post);
});
afterEach(() => {
  vi.useRealTimers();
});

const askFor = (id: number, request: Uint8Array<ArrayBuffer>): void =>
  answers.ask({ kind: 'ask', id, questions: [{ partition: 0, kind: 'query', request }], bytes: 0, spares: [] });

describe('a question that finds no room', () => {
  it('waits until an answer ends; small ones do not', () => {
    for (const id of [1, 2, 3, 4]) askFor(id, LARGE);
    expect(sent).toEqual(['1 answers', '2 answers']);
    expect(core.figures.memory.scratch).toBeLessThan(1.25 * OPEN_BYTES);
    askFor(5, SMALL);
    expect(sent.slice(2)).toEqual(['5 answers']);
    answers.leave(2);
    expect(sent.slice(3)).toEqual(['3 answers']);
    answers.leave(1);
    answers.leave(3);
    expect(sent.slice(4)).toEqual(['4 answers']);
    for (const id of [4, 5]) answers.leave(id);
    const { scratch } = core.figures.memory;
    askFor(6, LARGE);
    answers.leave(6);
    expect(core.figures.memory.scratch).toBe(scratch);
  });

  it('gets the place of one that nobody reads', () => {
    for (const id of [1, 2]) askFor(id, LARGE);
    vi.advanceTimersByTime(IDLE_SECONDS * 500);
    // Nobody waits: nobody has to go, however long.
    vi.advanceTimersByTime(IDLE_SECONDS * 5000);
    expect(sent).toEqual(['1 answers', '2 answers']);
    // Its reader waits for a piece.
    answers.more({ kind: 'more', id: 1, bytes: 1000, spares: [] });
    askFor(3, LARGE);
    expect(sent).toHaveLength(2);
    vi.advanceTimersByTime(2000);
    expect(sent.slice(2)).toEqual(['3 answers', '2 OVERLOADED']);
    // The others were asked for a moment ago.
    askFor(4, LARGE);
    vi.advanceTimersByTime(IDLE_SECONDS * 500);
    expect(sent).toHaveLength(4);
    vi.advanceTimersByTime(IDLE_SECONDS * 1000);
    expect(sent.slice(4)).toEqual(['4 answers', '3 OVERLOADED']);
  });

  it('is refused when too many wait', () => {
    for (let id = 1; id <= 5; id++) askFor(id, LARGE);
    expect(sent).toEqual(['1 answers', '2 answers', '5 OVERLOADED']);
  });
});
