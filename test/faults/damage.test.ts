/**
 * A partition's files, damaged in every way at every kind of place: loading never fails, never gives a value that was not
 * written for that series and time, keeps what is whole, says where the damage is, and sets the file aside.
 */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '../../src/base/log.js';
import type { Partition } from '../../src/partition/partition.js';
import { line, metrics, samples, T0 } from '../support/core-driver.js';
import { differences } from '../support/differences.js';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { type Opened, openPartition, writeLines } from './partitions.js';

const LONG = process.env.CCMS_LONG === '1';
const CASES = LONG ? 5000 : 400;
const METRICS = metrics(['m', 10], ['n', 10]);
const HOSTS = ['a', 'b', 'c'];
const NAME = 'partition-0-of-1';

class Lines {
  readonly lines: string[] = [];
  readonly logger: Logger;
  constructor() {
    const add = (level: string) => (message: string, error?: unknown) =>
      this.lines.push(`${level} ${message}${error ? `: ${(error as Error).message}` : ''}`);
    this.logger = { debug: () => {}, info: () => {}, warn: add('warn'), err: add('err'), crit: add('crit') };
  }
  get text(): string {
    return this.lines.join('\n');
  }
}

function loaded(root: string, log = new Lines()): Promise<Opened> {
  return openPartition(root, METRICS, log.logger);
}

/** `metric host time` → all values that were ever written. */
const written = new Map<string, Set<number>>();

function write(opened: Opened, lines: [metric: string, host: string, time: number, value: number][]): void {
  for (const [metric, host, time, value] of lines) {
    const key = `${metric} ${host} ${time}`;
    written.set(key, (written.get(key) ?? new Set()).add(value));
  }
  const text = lines.map(([metric, host, time, value]) => line(metric, host, time, value)).join('');
  writeLines(opened, text);
}

/** Loads a directory and holds what comes back against what was written. */
async function examine(
  root: string,
  what: string,
): Promise<{ opened: Opened; partition: Partition; log: Lines; got: Map<string, number> }> {
  const log = new Lines();
  const opened = await loaded(root, log);
  const got = samples(opened.core);
  for (const [key, value] of got) {
    if (!written.get(key)?.has(value)) expect.fail(`${what}: ${key} is ${value}, which was never written\n${log.text}`);
  }
  return { opened, partition: opened.partition, log, got };
}

const template = temporaryDirectory();
let files: string[];
let whole: Map<string, number>;

function copyTemplate(root: string): string {
  const to = join(root, NAME);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of files) copyFileSync(join(template, NAME, name), join(to, name));
  return to;
}

beforeAll(async () => {
  const next = seeded(7);
  let opened = await loaded(template);
  let time = T0;
  // Two checkpoints, with a host freed and its numbers given away in between, and three segments of log behind them.
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 8; i++) {
      const lines: Parameters<typeof write>[1] = [];
      for (let k = 0; k < 12; k++, time += 10) {
        for (const host of HOSTS) {
          for (const metric of METRICS.keys()) {
            lines.push([metric, host, time, next() < 0.5 ? Math.floor(next() * 100) : next()]);
            if (next() < 0.1) lines.push([metric, host, T0 + 10 * Math.floor((next() * (time - T0)) / 10), next()]);
          }
        }
      }
      write(opened, lines);
      if (i === 4) {
        // Gone by age, which no log tells: its numbers go to the next host.
        const old = `old${round}`;
        write(opened, [['m', old, T0 - 40_000, next()]]);
        opened.core.writes.retainStep(0, 1000, T0 - 30_000);
        write(opened, [['n', `new${round}`, T0, next()]]);
      }
    }
    if (round < 2) await opened.partition.checkpoint('interval');
    else {
      // Each start begins a segment.
      opened.partition.close();
      opened = await loaded(template);
    }
  }
  opened.partition.close();
  files = readdirSync(join(template, NAME));
  whole = samples((await loaded(template)).core);
});

interface Damage {
  what: string;
  /** File whose content is damaged, and where the first changed byte is; undefined: no byte of a file that counts. */
  file?: string;
  at?: number;
}

const next = seeded(11);

function below(n: number): number {
  return Math.floor(next() * n);
}

/** Places worth hitting: anywhere, or where a frame begins. */
function place(bytes: Buffer): number {
  if (next() < 0.6) return below(bytes.length);
  const starts: number[] = [0];
  for (const magic of ['CCMB', 'CCMK']) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) starts.push(at);
  }
  return Math.min(bytes.length - 1, (starts[below(starts.length)] ?? 0) + below(20));
}

/** Damages one file of a directory. */
function damage(directory: string): Damage {
  const names = readdirSync(directory);
  const name = names[below(names.length)] ?? '';
  const path = join(directory, name);
  const bytes = readFileSync(path);
  const at = place(bytes);
  const length = Math.min(1 + below(next() < 0.5 ? 16 : 2000), bytes.length - at);
  const put = (...parts: Uint8Array[]): void => writeFileSync(path, Buffer.concat(parts));
  const noise = Buffer.from(Array.from({ length }, () => below(256)));
  const kinds: Record<string, () => void> = {
    'a bit flipped': () => {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      put(bytes);
    },
    'a range overwritten': () => {
      bytes.set(noise, at);
      put(bytes);
    },
    'a range zeroed': () => {
      bytes.fill(0, at, at + length);
      put(bytes);
    },
    'cut off': () => truncateSync(path, at),
    'a range cut out': () => put(bytes.subarray(0, at), bytes.subarray(at + length)),
    'noise put in': () => put(bytes.subarray(0, at), noise, bytes.subarray(at)),
    'a range twice': () => put(bytes.subarray(0, at + length), bytes.subarray(at)),
    'a range moved': () => {
      bytes.copyWithin(at, below(bytes.length));
      put(bytes);
    },
    removed: () => rmSync(path),
    'swapped with another': () => {
      const other = join(directory, names[below(names.length)] ?? '');
      renameSync(path, `${path}.swap`);
      if (other !== path) renameSync(other, path);
      renameSync(`${path}.swap`, other);
    },
  };
  const kind = Object.keys(kinds)[below(Object.keys(kinds).length)] ?? '';
  const before = readFileSync(path);
  kinds[kind]?.();
  const what = `${name}: ${kind} at ${at}, ${length} bytes`;
  if (kind === 'removed' || kind.startsWith('swapped')) return { what };
  const after = readFileSync(path);
  if (after.equals(before) || (name === 'manifest.json' && meansTheSame(after, before))) return { what };
  let first = 0;
  while (first < after.length && after[first] === before[first]) first++;
  return { what, file: name, at: first };
}

function meansTheSame(a: Buffer, b: Buffer): boolean {
  try {
    return JSON.stringify(JSON.parse(a.toString())) === JSON.stringify(JSON.parse(b.toString()));
  } catch {
    return false;
  }
}

/** Whether a log says that a file is damaged at a byte. */
function tells(log: Lines, file: string, at: number): boolean {
  if (file === 'manifest.json') return log.text.includes('manifest.json');
  return log.lines.some((text) => {
    if (!text.includes(`${file}: `)) return false;
    const gap = /: (\d+) bytes at byte (\d+) are damaged/.exec(text);
    if (gap) return Number(gap[2]) <= at && at <= Number(gap[2]) + Number(gap[1]);
    const torn = /torn at byte (\d+)/.exec(text);
    if (torn) return Number(torn[1]) <= at;
    const short = /: (\d+) bytes long/.exec(text);
    return short !== null && Number(short[1]) === at;
  });
}

describe('files', () => {
  it('that are whole come back whole', async () => {
    const { got, log } = await examine(template, 'untouched');
    expect(log.lines).toEqual([]);
    expect(got.size).toBeGreaterThan(1000);
    expect(files.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2);
    expect(files.filter((name) => name.endsWith('.blocks')).length).toBe(3);
  });

  it(`damaged in ${CASES} ways`, async () => {
    const root = temporaryDirectory();
    let silent = 0;
    let aside = 0;
    let lost = 0;
    for (let i = 0; i < CASES; i++) {
      const directory = copyTemplate(root);
      const done: Damage[] = [];
      for (let n = next() < 0.8 ? 1 : 3; n > 0; n--) done.push(damage(directory));
      const what = `case ${i}: ${done.map((d) => d.what).join('; ')}`;
      const { partition, log, got } = await examine(root, what);
      lost += whole.size - got.size;
      const [only] = done;
      if (done.length === 1 && only?.file !== undefined) {
        // A log cut between two batches is a log that ends there.
        if (!tells(log, only.file, only.at ?? 0)) {
          expect(`${what}\n${log.text}`).toMatch(/\.log: (cut off|a range cut out|a range twice|a range moved)/);
          silent++;
        }
      }
      if (!partition.needsCheckpoint) continue;
      // What is good is safe first, then the damaged file is set aside; the next start finds nothing to say.
      await partition.checkpoint('interval');
      partition.close();
      aside += readdirSync(directory).filter((name) => name.endsWith('.corrupt')).length;
      const again = await examine(root, `${what}, second start`);
      expect(
        again.log.lines.filter((text) => !text.includes('torn')),
        what,
      ).toEqual([]);
      expect(differences(again.got, got), what).toEqual([]);
    }
    expect(aside).toBeGreaterThan(CASES / 4);
    expect(silent).toBeLessThan(CASES / 50);
    // Damage costs what it hits, not the rest.
    expect(lost / CASES / whole.size).toBeLessThan(0.25);
  });
});

describe('a log', () => {
  /** A log of one segment: where its frames end, and what is there with all of them up to each end. */
  async function oneSegment(
    root: string,
  ): Promise<{ path: string; bytes: Buffer; ends: number[]; states: Map<string, number>[] }> {
    const opened = await loaded(root);
    const ends = [0];
    const states: Map<string, number>[] = [new Map()];
    const path = join(root, NAME, '00000001.log');
    for (let i = 0; i < 12; i++) {
      const host = HOSTS[i % 3] ?? '';
      write(opened, [
        ['m', host, T0 + 10 * i, next()],
        ['n', 'a', T0 + 10 * below(12), below(300)],
      ]);
      ends.push(readFileSync(path).length);
      states.push(samples(opened.core));
    }
    opened.partition.close();
    const bytes = readFileSync(path);
    // The header is a frame too, without samples.
    ends.splice(1, 0, 16 + bytes.readUInt32LE(4));
    states.splice(1, 0, new Map());
    return { path, bytes, ends, states };
  }

  it('cut at any byte loses the batches behind, and goes on in a new segment', async () => {
    const root = temporaryDirectory();
    const { path, bytes, ends, states } = await oneSegment(root);
    for (let at = 0; at <= bytes.length; at += LONG ? 1 : 3) {
      writeFileSync(path, bytes.subarray(0, at));
      const frame = ends.findLastIndex((end) => end <= at);
      const { opened, partition, log, got } = await examine(root, `cut at ${at}`);
      expect(differences(got, states[frame] ?? new Map()), `cut at ${at}`).toEqual([]);
      const rest = at - (ends[frame] ?? 0);
      if (rest) expect(log.text).toContain(`torn at byte ${ends[frame]}, the last ${rest} bytes are cut off`);
      else expect(log.lines).toEqual([]);
      expect(partition.needsCheckpoint).toBe(false);
      if (at % 60) continue;
      // What comes then is in another file, and both come back.
      write(opened, [['m', 'z', T0, at]]);
      partition.close();
      expect((await examine(root, 'afterwards')).got.get(`m z ${T0}`)).toBe(at);
      rmSync(join(root, NAME, '00000002.log'));
    }
  });

  it('with a damaged batch keeps all others whose series it did not name', async () => {
    const root = temporaryDirectory();
    const { path, bytes, ends } = await oneSegment(root);
    for (let frame = 3; frame < 12; frame++) {
      const [from = 0, to = 0] = [ends[frame], ends[frame + 1]];
      const expected = temporaryDirectory();
      mkdirSync(join(expected, NAME), { recursive: true });
      writeFileSync(join(expected, NAME, '00000001.log'), Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]));
      const { got: without } = await examine(expected, 'without it');
      for (let at = from; at < to; at += LONG ? 1 : 3) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8));
        writeFileSync(path, damaged);
        const { got, log } = await examine(root, `frame ${frame} at ${at}`);
        expect(differences(got, without), `frame ${frame} at ${at}`).toEqual([]);
        expect(tells(log, '00000001.log', at), log.text).toBe(true);
      }
    }
  });

  it('of something else is set aside', async () => {
    const root = temporaryDirectory();
    const { path } = await oneSegment(root);
    writeFileSync(path, 'not a log at all, but a letter to the admin');
    const { partition, log } = await examine(root, 'letter');
    expect(log.text).toContain('00000001.log: 43 bytes at byte 0 are damaged');
    await partition.checkpoint('interval');
    partition.close();
    expect(readdirSync(join(root, NAME))).toContain('00000001.log.corrupt');
  });
});
