import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostRouter } from '../../src/store/routing.js';
import { Writes } from '../../src/store/writes.js';

const MEGABYTE = 1 << 20;

describe('bytes of writes on their way', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** 128 MiB are on their way. */
  function full(): Writes {
    const writes = new Writes({} as HostRouter, MEGABYTE);
    expect(writes.tryEnter(128 * MEGABYTE)).toBe(true);
    expect(writes.tryEnter(1)).toBe(false);
    return writes;
  }

  it('wait for those before them, in their order', async () => {
    const writes = full();
    const entered: string[] = [];
    const large = writes.enter(100 * MEGABYTE).then(() => entered.push('large'));
    const small = writes.enter(1).then(() => entered.push('small'));
    // There is room for the small one, but it came later.
    writes.release(28 * MEGABYTE);
    await vi.advanceTimersByTimeAsync(10);
    expect(entered).toEqual([]);
    expect(writes.tryEnter(1)).toBe(false);
    writes.release(100 * MEGABYTE);
    await Promise.all([large, small]);
    expect(entered).toEqual(['large', 'small']);
  });

  it('are refused after four seconds, and let the next one in', async () => {
    const writes = full();
    const first = writes.enter(100 * MEGABYTE);
    let isRefused = false;
    const refused = expect(first)
      .rejects.toMatchObject({ code: 'OVERLOADED' })
      .then(() => {
        isRefused = true;
      });
    await vi.advanceTimersByTimeAsync(3000);
    const second = writes.enter(MEGABYTE);
    writes.release(2 * MEGABYTE);
    await vi.advanceTimersByTimeAsync(900);
    expect(isRefused).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await refused;
    await second;
  });

  it('are refused at once when as many wait already', async () => {
    const writes = full();
    const waiting = writes.enter(128 * MEGABYTE);
    await expect(writes.enter(1)).rejects.toMatchObject({ code: 'OVERLOADED' });
    writes.release(128 * MEGABYTE);
    await waiting;
  });
});
