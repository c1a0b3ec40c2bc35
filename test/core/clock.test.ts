import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/wasm/core.js';
import { LineError, MAX_TIME_FAULTS } from '../../src/wasm/tables/codes.js';
import type { Batch, TimeLimits } from '../../src/wasm/writes.js';
import { metric, startCore, T0 } from '../support/core-driver.js';

const HOUR = 3600;
const LIMITS: TimeLimits = { oldest: T0 - HOUR, newest: T0 + 600, isTrusted: true };
const encoder = new TextEncoder();

const newCore = (): Core => startCore(new Map([['load', metric(60)]]));
const write = (core: Core, text: string, limits = LIMITS): Batch =>
  core.writes.ingest(encoder.encode(text), 'alex', 0, T0, limits);
const line = (host: string, time: number | string): string => `load,hostname=${host} value=1 ${time}\n`;

/** Times of a host's samples, as bins of a minute. */
function stored(core: Core): number {
  let samples = 0;
  for (let i = 0; i < core.series.end; i++) {
    samples += core.series.exportRun(i, 0, Number.MAX_SAFE_INTEGER)?.values.filter((value) => value === 1).length ?? 0;
  }
  return samples;
}

describe('timestamps against the clock', () => {
  // The first lines of a series take the slow path, those behind them the fast one.
  it.each([
    ['of new series', ''],
    ['of known series', line('a', T0) + line('b', T0)],
  ])('are taken up to the limits and refused beyond, with line, reason and host: %s', (_what, before) => {
    const core = newCore();
    if (before) write(core, before);
    const known = stored(core);
    const batch = write(
      core,
      [T0 + 600, T0 + 601, T0 - HOUR, T0 - HOUR - 1].map((time) => line('a', time)).join('') + line('b', T0 + 9999),
    );
    expect(batch).toMatchObject({ stored: 2, refused: 3 });
    const tooNew = { cluster: 'alex', reason: LineError.TimestampTooNew, lines: 1 };
    const a = { ...tooNew, host: 'a', seconds: T0 + 601 };
    const old = { ...a, reason: LineError.TimestampTooOld, seconds: T0 - HOUR - 1 };
    const b = { ...tooNew, host: 'b', seconds: T0 + 9999 };
    expect(batch.refusals).toEqual([
      [2, LineError.TimestampTooNew, a],
      [4, LineError.TimestampTooOld, old],
      [5, LineError.TimestampTooNew, b],
    ]);
    expect(batch.faults).toEqual([a, old, b]);
    expect(stored(core)).toBe(known + 2);
    expect(core.figures.totals.refusedByReason.slice(LineError.TimestampTooNew, LineError.TimestampTooOld + 1)).toEqual(
      [2, 1],
    );
    expect(core.figures.hosts).toBe(before ? 2 : 1);
  });

  it('are compared in seconds, whatever their unit', () => {
    const core = newCore();
    const of = (time: string): LineError[] => write(core, line('a', time)).refusals.map(([, reason]) => reason);
    expect(of(`${T0 + 600}999`)).toEqual([]);
    expect(of(`${T0 + 601}000`)).toEqual([LineError.TimestampTooNew]);
    expect(of(`${T0 + 601}000000000`)).toEqual([LineError.TimestampTooNew]);
    expect(of(`${T0 - HOUR - 1}999999`)).toEqual([LineError.TimestampTooOld]);
    expect(of('1')).toEqual([LineError.TimestampTooOld]);
  });

  it('that are absent are now', () => {
    expect(write(newCore(), 'load,hostname=a value=1\n')).toMatchObject({ stored: 1, refused: 0 });
  });

  it('that many lines share are judged once a line, good ones between bad ones', () => {
    const core = newCore();
    write(core, line('a', T0));
    const batch = write(core, (line('a', T0 + 700) + line('a', T0 + 60)).repeat(50));
    expect(batch).toMatchObject({ stored: 50, refused: 50 });
    expect(batch.faults).toEqual([
      { reason: LineError.TimestampTooNew, cluster: 'alex', host: 'a', lines: 50, seconds: T0 + 700 },
    ]);
  });

  it('are stored when the clock is not trusted, and their hosts are noted all the same', () => {
    const core = newCore();
    for (const round of [1, 2]) {
      const batch = write(core, line('a', T0 + 60 * round + 9999), { ...LIMITS, isTrusted: false });
      expect(batch).toMatchObject({ stored: 1, refused: 0, refusals: [], faults: [{ host: 'a', lines: 1 }] });
    }
    expect(stored(core)).toBe(2);
  });

  it('note so many hosts a batch and count all lines', () => {
    const core = newCore();
    const hosts = Array.from({ length: MAX_TIME_FAULTS + 8 }, (_, i) => `${'x'.repeat(250)}${i}`);
    const text = hosts.map((host) => line(host, T0 + 9999)).join('');
    const batch = write(core, text + text);
    expect(batch.refused).toBe(2 * hosts.length);
    expect(batch.faults.map(({ host, lines }) => [host, lines])).toEqual(
      hosts.slice(0, MAX_TIME_FAULTS).map((host) => [host, 2]),
    );
    expect(core.figures.hosts).toBe(0);
  });

  it('of lines that are bad for another reason are not looked at', () => {
    const batch = write(newCore(), `load,hostname=a value=x ${T0 + 9999}\nunknown,hostname=a value=1 ${T0 + 9999}\n`);
    expect(batch).toMatchObject({ skipped: 1, refusals: [[1, LineError.BadValue]], faults: [] });
  });
});
