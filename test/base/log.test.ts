import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  captureLog,
  configureLog,
  errorText,
  escapeControls,
  limited,
  logger,
  logSettings,
} from '../../src/base/log.js';
import { firstLine, startProgram } from '../support/programs.js';
import { until } from '../support/wait.js';

let lines: string[] = [];
let restore: () => void;
beforeEach(() => {
  lines = [];
  restore = captureLog((line) => lines.push(line));
});
afterEach(() => {
  restore();
  configureLog({ level: 'warn', date: false });
  vi.useRealTimers();
});

describe('logger', () => {
  it('puts the sd-daemon priority of each level in front', () => {
    configureLog({ level: 'debug' });
    const log = logger('http');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.err('d');
    log.crit('e');
    expect(lines).toEqual([
      '<7>[DEBUG] http: a',
      '<6>[INFO] http: b',
      '<4>[WARN] http: c',
      '<3>[ERR] http: d',
      '<2>[CRIT] http: e',
    ]);
  });

  it.each([
    ['debug', 5],
    ['info', 4],
    ['warn', 3],
    ['err', 2],
    ['crit', 1],
  ] as const)('drops what is below %s', (level, count) => {
    configureLog({ level });
    const log = logger('x');
    for (const method of [log.debug, log.info, log.warn, log.err, log.crit]) method('m');
    expect(lines).toHaveLength(count);
  });

  it('adds date and time behind the priority', () => {
    configureLog({ date: true });
    vi.useFakeTimers({ now: new Date(2026, 0, 2, 3, 4, 5) });
    logger('x').err('m');
    expect(lines).toEqual(['<3>2026/01/02 03:04:05 [ERR] x: m']);
  });

  it("appends an error and its causes, and the stack's lines only at debug", () => {
    const error = new Error('disk full', { cause: new Error('ENOSPC') });
    logger('wal').err('write failed', error);
    expect(lines).toEqual(['<3>[ERR] wal: write failed: disk full: ENOSPC']);
    configureLog({ level: 'debug' });
    logger('wal').err('write failed', error);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines[2]).toMatch(/^<7>\[DEBUG\] wal: at .*log\.test\.ts/);
  });

  it('keeps a message on one line, whatever is in it', () => {
    logger('http').warn('host "a\n<2>[CRIT] forged: x\x1b[31m\u202e\u2028" refused\ttab\x85');
    expect(lines).toEqual(['<4>[WARN] http: host "a\\n<2>[CRIT] forged: x\\x1b[31m\\u202e\\u2028" refused\\ttab\\x85']);
    expect(escapeControls('ä 😀 \\n')).toBe('ä 😀 \\n');
  });

  it('takes anything that was thrown', () => {
    expect([errorText('x'), errorText(undefined), errorText(new TypeError())]).toEqual(['x', 'undefined', 'TypeError']);
  });

  it('passes its settings on', () => {
    configureLog({ level: 'info' });
    configureLog({ date: true });
    expect(logSettings()).toEqual({ level: 'info', date: true });
  });
});

describe('limited', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  it('lets one line a level through and tells the rest when the time is over', () => {
    const log = limited(logger('nats'), 10);
    for (let n = 1; n <= 5; n++) log.warn(`bad message ${n}`);
    log.err('lost');
    expect(lines).toEqual(['<4>[WARN] nats: bad message 1', '<3>[ERR] nats: lost']);
    vi.advanceTimersByTime(10_000);
    expect(lines.slice(2)).toEqual(['<4>[WARN] nats: bad message 5 (and 3 more like it in 10 s)']);
  });

  it('counts anew in each window and opens again after a quiet one', () => {
    const log = limited(logger('x'), 1);
    log.warn('1');
    log.warn('2');
    vi.advanceTimersByTime(1000);
    log.warn('3');
    vi.advanceTimersByTime(1000);
    vi.advanceTimersByTime(1000);
    log.warn('4');
    expect(lines.map((line) => line.slice(13))).toEqual(['1', '2', '3', '4']);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('spends nothing on a level that is dropped', () => {
    limited(logger('x'), 1).debug('m');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('stderr', () => {
  it('gets whole lines from the main thread and from workers, also through a slow pipe', async () => {
    const program = `
      import { Worker, isMainThread, workerData } from 'node:worker_threads';
      import { configureLog, logger, logSettings } from './base/log.js';
      process.stderr.write('');
      if (isMainThread) configureLog({ level: 'info' }); else configureLog(workerData);
      for (let n = 0; n < 3000; n++) logger(isMainThread ? 'main' : 'worker').info('x'.repeat(200) + n);
      if (isMainThread) new Worker(new URL(import.meta.url), { workerData: logSettings() });
      setInterval(() => {}, 1000);`;
    const child = startProgram(program, { stderrIsHeld: true });
    // Long enough for the pipe to fill up.
    await sleep(200);
    child.readStderr();
    const seen = (): string[] => child.stderr.split('\n').slice(0, -1);
    await until(() => seen().length >= 6000);
    await child.stop();
    expect(seen()).toHaveLength(6000);
    expect(seen().every((line) => /^<6>\[INFO\] (main|worker): x{200}\d+$/.test(line))).toBe(true);
  });

  it('loses lines, and says how many, rather than wait for a reader that hangs', async () => {
    const program = `
      import { configureLog, logger } from './base/log.js';
      process.stderr.write('');
      configureLog({ level: 'info' });
      for (let n = 0; n < 20000; n++) logger('main').info('x'.repeat(200) + n);
      console.log('all said');
      setInterval(() => {}, 1000);`;
    const child = startProgram(program, { stderrIsHeld: true });
    expect(await firstLine(child)).toBe('all said');
    child.readStderr();
    await until(() => / lines lost: stderr was not read\n$/.test(child.stderr));
    await child.stop();
    const seen = child.stderr.trimEnd().split('\n');
    const lost = seen.map((line) =>
      Number(/^<4>\[WARN\] log: (\d+) lines lost: stderr was not read$/.exec(line)?.[1] ?? 0),
    );
    const lostCount = lost.reduce((sum, count) => sum + count, 0);
    expect(lostCount).toBeGreaterThan(1000);
    expect(seen.filter((line) => line.includes(': xxx')).length + lostCount).toBe(20_000);
  });
});
