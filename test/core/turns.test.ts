/** Two instances of the core take turns in one memory. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { Core } from '../../src/wasm/instance.js';
import { newTurns, Turns } from '../../src/wasm/turns.js';
import { newSharedCore } from '../../src/wasm/wasm-instance.js';
import { random as seeded } from '../integration/client.js';
import { askText, coreModule, metric, seriesQuery, startCore, store, T0 } from '../support/core-driver.js';
import { pick } from './spelling.js';

const METRICS = new Map<string, MetricConfig>([
  ['load', metric(60, 'avg')],
  ['flops', metric(60, 'sum')],
]);
const HOSTS = ['h0', 'h1', 'h2'];
const RANGE = { cluster: 'c', from: T0, to: T0 + 1e6, withStats: true, withData: true, withPadding: false };

/** What is asked again and again: every host, rolled up over its threads. */
const QUERIES = HOSTS.flatMap((host) => ['load', 'flops'].map((name) => seriesQuery({ metric: name, host })));

/** Lines of all threads of some hosts, at the next few times. */
function lines(random: () => number, time: number): string {
  let text = '';
  for (let i = Math.floor(random() * 400); i > 0; i--) {
    const thread = `hostname=${pick(random, HOSTS)},type=hwthread,type-id=${Math.floor(random() * 6)}`;
    text += `${pick(random, ['load', 'flops'])},${thread} value=${Math.floor(random() * 1e4) / 8} ${time + 60 * (i % 50)}\n`;
  }
  return text;
}

/** Lets the owner's turn end, which it does with the code that runs. */
const nextTurn = (): Promise<void> => Promise.resolve();

describe('turns', () => {
  it('are one at a time, and hand the globals on when the other thread comes', () => {
    const calls: string[] = [];
    const globals = (name: string) => ({
      saveGlobals: (at: number) => calls.push(`${name} saves ${at}`),
      loadGlobals: (at: number) => calls.push(`${name} loads ${at}`),
    });
    const words = newTurns();
    const owner = new Turns(words, 'owner', globals('owner'));
    const guest = new Turns(words, 'guest', globals('guest'));
    expect(guest.tryBegin()).toBe(false);
    owner.keepGlobalsAt(64);
    owner.end();
    owner.begin();
    owner.end();
    expect(guest.tryBegin()).toBe(true);
    expect(guest.tryBegin()).toBe(false);
    expect(owner.tryBegin()).toBe(false);
    guest.end();
    owner.begin();
    expect(calls).toEqual(['owner saves 64', 'owner saves 64', 'guest loads 64', 'guest saves 64', 'owner loads 64']);
  });

  it('of a guest are not to be had while the owner is at work', async () => {
    const shared = newSharedCore(coreModule());
    const guest = Core.guest(coreModule(), shared);
    const owner = new Core(coreModule(), METRICS, 0, 1, shared);
    expect(guest.asGuest(() => true)).toBeUndefined();
    await nextTurn();
    expect(guest.asGuest(() => true)).toBe(true);
    expect(owner.hosts).toBe(0);
    expect(guest.asGuest(() => true)).toBeUndefined();
    await nextTurn();
    expect(() =>
      guest.asGuest(() => {
        throw new Error('within a turn');
      }),
    ).toThrow('within a turn');
    expect(guest.asGuest(() => true)).toBe(true);
  });

  for (const name of ['core.wasm', 'core.debug.wasm']) {
    it(`leave no trace in what is stored and answered, ${name}`, async () => {
      const random = seeded(71);
      const module = coreModule(name);
      const shared = newSharedCore(module);
      const guest = Core.guest(module, shared);
      const owner = new Core(module, METRICS, 0, 1, shared);
      owner.logStartSegment();
      const alone = startCore(METRICS, { module });
      for (let round = 0; round < 60; round++) {
        const text = lines(random, T0 + round * 600);
        store(owner, text, 'c');
        store(alone, text, 'c');
        owner.logTaken();
        alone.logTaken();
        await nextTurn();
        const expected = askText(alone, RANGE, QUERIES);
        expect(guest.asGuest(() => askText(guest, RANGE, QUERIES))).toBe(expected);
        if (round % 3 === 0) expect(askText(owner, RANGE, QUERIES)).toBe(expected);
        await nextTurn();
        // The next samples go where the owner has never seen memory.
        if (round % 10 === 5) guest.asGuest(() => guest.expectSamples(8 << 20));
      }
      const { index, sealedBlocks } = alone.memory;
      expect(owner.memory).toMatchObject({ index, sealedBlocks });
    });
  }

  it('are given to the owner who waits, however often the guest wants one', async () => {
    const module = coreModule();
    const shared = newSharedCore(module);
    const guest = Core.guest(module, shared);
    const worker = new Worker(new URL('./turns-owner.js', import.meta.url), {
      workerData: { module, shared, metrics: METRICS },
    });
    try {
      await once(worker, 'message');
      const text = lines(seeded(73), T0);
      const turns = 200;
      let stored = 0;
      worker.on('message', () => stored++);
      for (let i = 0; i < turns; i++) worker.postMessage(text);
      // No gap, and no event of this thread, in which the owner could wake up in time.
      const since = performance.now();
      while (performance.now() - since < 1500) {
        guest.asGuest(() => {
          for (let i = 0; i < 10; i++) askText(guest, RANGE, QUERIES);
        });
      }
      await new Promise(setImmediate);
      expect(stored).toBe(turns);
    } finally {
      await worker.terminate();
    }
  });

  it('are taken by two threads at once without losing a sample', { timeout: 60_000 }, async () => {
    const random = seeded(72);
    const module = coreModule();
    const shared = newSharedCore(module);
    const guest = Core.guest(module, shared);
    const worker = new Worker(new URL('./turns-owner.js', import.meta.url), {
      workerData: { module, shared, metrics: METRICS },
    });
    try {
      await once(worker, 'message');
      const alone = startCore(METRICS);
      let asked = 0;
      let bytes = 0;
      for (let round = 0; round < 300; round++) {
        const text = lines(random, T0 + round * 300);
        store(alone, text, 'c');
        alone.logTaken();
        let stored = false;
        const answered = once(worker, 'message').then(([result]: { refused: number; bytes: number }[]) => {
          stored = true;
          expect(result?.refused).toBe(0);
          bytes = result?.bytes ?? 0;
        });
        worker.postMessage(text);
        // As often as it goes: before, between and after the owner's turns.
        while (!stored) {
          if (guest.asGuest(() => askText(guest, RANGE, QUERIES)) !== undefined) asked++;
          if (round % 50 === 49) guest.asGuest(() => guest.expectSamples(Math.min(bytes, 64 << 20)));
          await new Promise(setImmediate);
        }
        await answered;
        let answer: string | undefined;
        while (answer === undefined) answer = guest.asGuest(() => askText(guest, RANGE, QUERIES));
        if (answer !== askText(alone, RANGE, QUERIES)) expect.fail(`round ${round}: not what was stored`);
      }
      expect(asked).toBeGreaterThan(300);
    } finally {
      await worker.terminate();
    }
  });
});
