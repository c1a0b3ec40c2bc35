import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogFile, type WalSync } from '../../src/persistence/log/log-file.js';
import { temporaryDirectory } from '../support/directories.js';

/** Calls of the file system that fail, by name: how many pass before; for writes, how many bytes are written all the same. */
const faults = vi.hoisted(() => ({
  fail: new Map<string, number>(),
  half: 0,
  fired(name: string): boolean {
    const left = faults.fail.get(name);
    if (left === undefined) return false;
    faults.fail.set(name, left - 1);
    return left <= 0;
  },
}));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const failing = (name: 'fdatasyncSync' | 'fsyncSync' | 'ftruncateSync' | 'openSync', code: string) =>
    function (this: unknown, ...args: unknown[]): unknown {
      if (faults.fired(name)) throw Object.assign(new Error(`${code}: it fails, ${name}`), { code });
      return (fs[name] as (...args: unknown[]) => unknown)(...args);
    };
  return {
    ...fs,
    openSync: failing('openSync', 'EMFILE'),
    fsyncSync: failing('fsyncSync', 'EIO'),
    fdatasyncSync: failing('fdatasyncSync', 'EIO'),
    ftruncateSync: failing('ftruncateSync', 'EIO'),
    fdatasync(fd: number, done: (error: Error | null) => void) {
      if (faults.fired('fdatasync')) setImmediate(done, new Error('EIO: it fails, fdatasync'));
      else fs.fdatasync(fd, done);
    },
    writeSync(fd: number, bytes: Uint8Array, at: number, length: number) {
      if (faults.half && length > faults.half) return fs.writeSync(fd, bytes, at, faults.half);
      if (faults.fired('writeSync')) throw new Error('ENOSPC: no space left on device, write');
      return fs.writeSync(fd, bytes, at, length);
    },
  };
});

let directory: string;
/** Segments that were begun: what the core is told. */
let begun: number;

beforeEach(() => {
  directory = temporaryDirectory();
  begun = 0;
});
afterEach(() => {
  faults.fail.clear();
  faults.half = 0;
});

function open(sync: WalSync = 'interval', next = 1): LogFile {
  return new LogFile(directory, sync, [], next, () => {
    begun++;
  });
}

function append(log: LogFile, text: string): void {
  log.open();
  log.append(Buffer.from(text));
}

/** Name → content of the segments. */
function segments(): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

describe('a write that fails', () => {
  it('is cut off, and the next one begins a segment', () => {
    const log = open();
    append(log, 'first');
    faults.fail.set('writeSync', 0);
    faults.half = 3;
    expect(() => append(log, 'second')).toThrow(
      `${join(directory, '00000001.log')}: ENOSPC: no space left on device, write`,
    );
    expect(log.figures.failed).toContain('ENOSPC');
    faults.fail.clear();
    append(log, 'third');
    expect(segments()).toEqual({ '00000001.log': 'first', '00000002.log': 'third' });
    expect([begun, log.bytes, log.figures.failed]).toEqual([2, 10, null]);
  });

  it('stays as a torn tail when it cannot be cut off', () => {
    const log = open();
    append(log, 'first');
    faults.half = 3;
    faults.fail.set('writeSync', 0).set('ftruncateSync', 0);
    expect(() => append(log, 'second')).toThrow('ENOSPC');
    faults.fail.clear();
    append(log, 'third');
    expect(segments()).toEqual({ '00000001.log': 'firstsec', '00000002.log': 'third' });
  });

  it('leaves no heap of empty segments on a full disk', () => {
    const log = open();
    append(log, 'first');
    faults.fail.set('writeSync', 0);
    for (let i = 0; i < 100; i++) expect(() => append(log, 'again')).toThrow('ENOSPC');
    faults.fail.clear();
    append(log, 'last');
    expect(segments()).toEqual({ '00000001.log': 'first', '00000002.log': 'last' });
    expect(log.figures.segments).toBe(2);
  });
});

describe('a segment that cannot be begun', () => {
  it.each([
    ['openSync', 0],
    ['fsyncSync', 0],
    // The directory's descriptor, after the segment's.
    ['openSync', 1],
  ])('%s after %i calls: nothing is appended to one whose series the core has not named', (name, calls) => {
    const log = open();
    faults.fail.set(name, calls);
    expect(() => append(log, 'lost')).toThrow(join(directory, '00000001.log'));
    faults.fail.clear();
    expect(begun).toBe(0);
    append(log, 'kept');
    expect(begun).toBe(1);
    expect(Object.values(segments()).join('')).toBe('kept');
    expect(log.figures.failed).toBeNull();
  });
});

describe('a sync that fails', () => {
  it('ends the segment, and asks for a checkpoint', () => {
    const log = open('always');
    append(log, 'first');
    faults.fail.set('fdatasyncSync', 0);
    expect(() => log.syncNow()).toThrow('00000001.log: EIO');
    faults.fail.clear();
    expect(log.isDoubtful).toBe(true);
    append(log, 'second');
    log.syncNow();
    expect(segments()).toEqual({ '00000001.log': 'first', '00000002.log': 'second' });
    log.dropBelow(log.rotate());
    expect([log.isDoubtful, log.bytes, segments()]).toEqual([false, 0, {}]);
  });

  it('in the background too', async () => {
    const log = open();
    append(log, 'first');
    faults.fail.set('fdatasync', 0);
    log.syncLater();
    await vi.waitFor(() => expect(log.figures.failed).toContain('00000001.log: EIO'));
    append(log, 'second');
    expect(Object.keys(segments())).toEqual(['00000001.log', '00000002.log']);
    expect(log.isDoubtful).toBe(true);
  });

  it('leaves nothing to be called safe before a checkpoint', () => {
    const log = open();
    append(log, 'first');
    faults.fail.set('fdatasyncSync', 0);
    expect(() => log.syncAll()).toThrow('00000001.log: EIO');
    faults.fail.clear();
    append(log, 'second');
    // A position in a stream that was saved now would skip what the first segment may have lost.
    expect(() => log.syncAll()).toThrow('00000001.log: a sync has failed, and no checkpoint has been made since');
    log.dropBelow(log.rotate());
    append(log, 'third');
    log.syncAll();
  });

  it('keeps no checkpoint from being made', () => {
    const log = open();
    append(log, 'first');
    faults.fail.set('fdatasyncSync', 0);
    expect(log.rotate()).toBe(2);
    expect(log.isDoubtful).toBe(true);
  });
});

it('a segment that ends while it is synced in the background is synced before it is closed', () => {
  const log = open();
  append(log, 'first');
  log.syncLater();
  // Fails when it is called.
  faults.fail.set('fdatasyncSync', 0);
  log.rotate();
  expect(log.isDoubtful).toBe(true);
});

it('old segments go, those too that another run left behind', () => {
  append(open('off', 3), 'left');
  const log = open('off', 7);
  append(log, 'covered');
  const next = log.rotate();
  append(log, 'needed');
  log.dropBelow(next);
  expect(segments()).toEqual({ '00000008.log': 'needed' });
  expect(existsSync(join(directory, '00000003.log'))).toBe(false);
});
