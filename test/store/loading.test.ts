import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Loading } from '../../src/store/loading.js';
import { StoreError } from '../../src/store/store.js';

const NOTHING = { files: 0, bytes: 0, missing: [] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is left of a load', () => {
  it('takes as long for its share as what is done', () => {
    const loading = new Loading(4);
    expect(loading.secondsLeft).toBe(1);
    vi.advanceTimersByTime(10_000);
    loading.loaded(0, NOTHING);
    // A quarter in 10 s.
    expect(loading.secondsLeft).toBe(30);
    loading.progress(1, 600, 1000);
    loading.progress(2, 400, 1000);
    expect(loading.secondsLeft).toBe(10);
    loading.loaded(1, NOTHING);
    loading.loaded(2, NOTHING);
    loading.progress(3, 999, 1000);
    expect(loading.secondsLeft).toBe(1);
  });

  it('is a minute at most, whatever the first figures say', () => {
    const loading = new Loading(4);
    vi.advanceTimersByTime(10_000);
    loading.progress(0, 1, 1000);
    expect(loading.secondsLeft).toBe(60);
  });

  it('is told to whoever asks too early, and to nobody else', () => {
    const loading = new Loading(2);
    vi.advanceTimersByTime(7000);
    loading.loaded(1, NOTHING);
    loading.assertLoaded([1]);
    const refused = ((): unknown => {
      try {
        loading.assertLoaded([1, 0]);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(StoreError);
    expect(refused).toMatchObject({ code: 'LOADING', retryAfter: 7 });
  });
});
