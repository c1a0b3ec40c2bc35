import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/wasm/core.js';
import { Codec } from '../../src/wasm/tables/codecs.js';
import { CheckpointContent } from '../../src/wasm/tables/codes.js';
import { gapPatterns, hardCases, loadClasses, Random, withGaps } from '../assembly/codec-data.js';
import { expectWords, loadCodecModule, wordsOf } from '../assembly/codec-module.js';
import { readBlock, readCheckpoint, readFrames, readLog } from './format-reader.js';

const PAGE = readFileSync('docs/formats.md', 'utf8');
const METRICS = new Map(
  ['load', 'rate', 'flag'].map((name) => [name, { frequency: 60, aggregation: null, precision: 'double' }] as const),
);
const T = 1_700_000_000;

const newCore = (): Core => new Core(new WebAssembly.Module(readFileSync('dist/core.wasm')), METRICS, 0, 1);

/** Stores lines and returns the log's bytes. */
function log(core: Core, lines: string): Uint8Array {
  const text = new TextEncoder().encode(lines);
  expect(core.writes.ingest(text, 'a', 0, T)).toMatchObject({ refused: 0, skipped: 0 });
  const bytes = core.writes.logged().slice();
  core.writes.logTaken();
  return bytes;
}

describe('docs/formats.md', () => {
  it("shows the log's bytes as they are", () => {
    const [, example = ''] = /<!-- example[\s\S]*?```\n([\s\S]*?)^```/m.exec(PAGE) ?? [];
    const hex = example
      .split('\n')
      .map((line) => /^ *((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2})(?: {3,}|$)/.exec(line)?.[1] ?? '')
      .join(' ');
    const core = newCore();
    core.writes.logStartSegment();
    const bytes = log(core, `load,cluster=a,hostname=h value=1.5 ${T}\nload,cluster=a,hostname=h value=7 ${T + 60}\n`);
    expect(hex.trim().split(/ +/).join(' ')).toBe(
      Buffer.from(bytes)
        .toString('hex')
        .replace(/..(?=.)/g, '$& '),
    );
  });

  it('is all that a reader of the log needs', () => {
    const core = newCore();
    core.writes.logStartSegment();
    const values = [
      0, -0, 1, 255, 256, -1, 32767, -32769, 2147483647, -2147483649, 0.5, 0.1, 1e300, 5e-324, 16777217.5,
    ];
    const lines: string[] = [];
    const expected: unknown[] = [];
    const add = (host: string, tags: string, names: string, time: number, value: number): void => {
      const number = Object.is(value, -0) ? '-0' : String(value);
      lines.push(`load,cluster=a,hostname=${host}${tags} value=${number} ${time}\n`);
      expected.push({ series: `a/${host}${names} load`, time, value });
    };
    for (const [i, value] of values.entries()) {
      add('h1', ',type=socket,type-id=0', '/socket0', T + 60 * i, value);
      add('h2', ',type=hwthread,type-id=1,stype=memory,stype-id=2', '/hwthread1/memory2', T - 3600 * i, value);
      add(`n${i}`, '', '', 2 ** 31 * (i + 1), value);
    }
    const first = log(core, lines.join(''));
    core.writes.free(['a', 'h1'], T + 1e6);
    const free = core.writes.logged().slice();
    core.writes.logTaken();
    const second = log(core, lines.join(''));
    const file = Buffer.concat([first, free, second]);
    const freed = { series: 'free a/h1', time: T + 1e6, value: Number.NaN };
    expect(readLog(readFrames(file, 'CCMB'))).toEqual([...expected, freed, ...expected]);
    expect(() => readFrames(Buffer.concat([file, Buffer.from([1])]), 'CCMB')).toThrow();
  });

  it('is all that a reader of checkpoints needs', () => {
    const core = newCore();
    const random = new Random(3);
    for (let step = 0; step < 700; step++) {
      const time = T + 60 * step;
      if (step % 97 === 5) continue;
      log(
        core,
        `load,hostname=h1 value=${(random.int(900) / 100).toFixed(2)} ${time}\n` +
          `rate,hostname=h2,type=socket,type-id=1 value=${random.float() * 1e6} ${time}\n` +
          `flag,hostname=h2 value=${random.int(50) ? 0 : 1} ${time}\n`,
      );
    }
    // Late, before the first bin.
    log(core, `load,hostname=h1 value=-3 ${T - 6000}\n`);
    core.files.checkpointBegin();
    const { bytes, next } = core.files.checkpointStep(0, 1 << 20, CheckpointContent.Full);
    expect(next).toBe(-1);
    const series = readFrames(bytes.slice(), 'CCMK').flatMap(readCheckpoint);
    expect(series.map(({ names, metric }) => `${names.join('/')} ${metric}`)).toEqual([
      'a/h1 load',
      'a/h2/socket1 rate',
      'a/h2 flag',
    ]);
    for (const [number, { frequency, anchor, blocks }] of series.entries()) {
      const all = core.series.exportRun(number, 0, Number.MAX_SAFE_INTEGER);
      const bins = new Float64Array(all?.values.length ?? 0).fill(Number.NaN);
      const first = blocks[0]?.first ?? 0;
      for (const block of blocks) bins.set(block.bins, block.first - first);
      expect(frequency).toBe(60);
      expect(anchor).toBe(T - 30);
      expect(anchor + 30 + 60 * first).toBe(all?.start);
      expectWords(wordsOf(bins), wordsOf(all?.values ?? new Float64Array(0)), `series ${number}`);
      expect(blocks.map(({ open }) => open)).toEqual(blocks.map((_, i) => i === blocks.length - 1));
      expect(blocks.length).toBeGreaterThan(1);
    }
    expect(core.files.checkpointSpan).toEqual({ from: T - 30 - 6000, to: T - 30 + 60 * 700 });
  });

  it('is all that a reader of blocks needs, whatever the codec', async () => {
    const { x, base, u8 } = await loadCodecModule();
    const random = new Random(11);
    const seen = new Map<number, number>();
    const write = (values: Float64Array, at: number): void => u8.set(new Uint8Array(values.buffer), at);
    for (const { name, make } of [...loadClasses, ...hardCases]) {
      for (const n of [1, 7, 61, 512]) {
        for (const gaps of n > 200 ? gapPatterns.filter(({ name }) => /none|random/.test(name)) : gapPatterns) {
          const values = withGaps(make(n, random), gaps.missing(n, random), random);
          const out = base + 8192;
          write(values, base);
          const expected = wordsOf(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)));
          // A long block of each codec takes this reader too long: there what the product chooses has to do.
          for (let codec = -1; codec <= (n > 200 ? -1 : Codec.Raw); codec++) {
            const size = codec < 0 ? x.encodeBlock(base, n, out) : x.encodeWith(codec, base, n, out);
            if (size === 0) continue;
            const read = readBlock(u8.slice(out, out + size));
            expect(read.size).toBe(size);
            expectWords(wordsOf(read.bins), expected, `${name}, ${n} bins, gaps ${gaps.name}, codec ${read.codec}`);
            seen.set(read.codec, (seen.get(read.codec) ?? 0) + 1);
          }
        }
      }
    }
    const codecs = Object.values(Codec).filter((codec) => typeof codec === 'number');
    for (const codec of codecs) expect(seen.get(codec), `codec ${codec}`).toBeGreaterThan(50);
    for (const name of [
      'constant',
      'sparse',
      'runs',
      'decimal-frame',
      'decimal-delta',
      'bits-frame',
      'bits-delta',
      'split',
      'raw',
    ]) {
      expect(PAGE).toMatch(new RegExp(`^\\| \\d +\\| ${name} `, 'm'));
    }
  });
});
