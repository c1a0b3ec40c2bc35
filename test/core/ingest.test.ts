import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { Buffers } from '../../src/store/buffers.js';
import type { Written } from '../../src/store/client.js';
import { HostRouter, joinOutcomes, type Part } from '../../src/store/routing.js';
import type { WriteOutcome } from '../../src/store/store.js';
import type { Core } from '../../src/wasm/core.js';
import { Router } from '../../src/wasm/router.js';
import type { ExportedSeries } from '../../src/wasm/series.js';
import { LineError } from '../../src/wasm/tables/codes.js';
import {
  ask,
  coreModule,
  exportAll,
  keyOf,
  metric,
  seriesQuery,
  startCore,
  store,
  T0,
} from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { parseLine, splitLines } from './line-parser.js';
import { Model } from './model.js';
import { pick, spell } from './spelling.js';

const DAY = 86400;
/** Bins so wide that damaged timestamps do not make series of millions of them. */
const METRICS = new Map<string, MetricConfig>([
  ['load', metric(7 * DAY)],
  ['flops any', metric(30 * DAY, 'sum')],
]);
const KNOWN: ReadonlySet<string> = new Set(METRICS.keys());
const CLUSTER = 'fritz';
type Random = () => number;

const HOSTS = ['a1', 'a11', 'b 2', 'c,3', 'd=4', 'e\\5', '..', 'f/6', 'x'.repeat(255), 'y'.repeat(256), 'ü'];

/** A line that is mostly right. */
function line(random: Random): string {
  const host = pick(random, HOSTS);
  const levels = [pick(random, ['alex', CLUSTER]), host];
  if (random() < 0.5) levels.push(pick(random, ['hwthread1', 'socket0', 'accelerator00000000:49:00.0']));
  if (levels.length > 2 && random() < 0.3) levels.push(pick(random, ['mig1', 'mig11']));
  const value = pick(random, [1, 0.5, 1e-7, 123456, 0.1 + 0.2, 2 ** 53 + 2, -17]);
  const sample = {
    levels,
    metric: pick(random, ['load', 'flops any', 'unknown']),
    time: T0 + Math.floor(random() * 1e9),
    value,
  };
  return spell(random, sample, random() < 0.4, CLUSTER);
}

const FRAGMENTS = [
  ...[
    ',',
    '=',
    ' ',
    '\\',
    '"',
    '\n',
    '\r',
    '\t',
    '\0',
    '#',
    '-',
    '.',
    'e',
    'i',
    'u',
    '0',
    '9',
    '/',
    '..',
    '+',
    '\xff',
    '\xc3',
  ],
  ...[
    'value=',
    ' value=1',
    'host=',
    ',hostname=b1',
    ',cluster=',
    '="',
    '\\"',
    '""',
    '1e999',
    'nan',
    'inf',
    'true',
    '\\\\',
    '\\,',
  ],
  ...[
    '9223372036854775807',
    '18446744073709551615u',
    '\0\0\0\0\0\0\0\0\0\0',
    '99999999999',
    '100000000000000000',
    ',stype=a,stype-id=b',
  ],
];

/** The text with a few bytes changed, taken out, put in, doubled, or its end missing. */
function damaged(random: Random, text: string): string {
  let result = text;
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
    const at = Math.floor(random() * (result.length + 1));
    const until = Math.min(result.length, at + Math.floor(random() * 4));
    const r = random();
    if (r < 0.4) result = result.slice(0, at) + pick(random, FRAGMENTS) + result.slice(at);
    else if (r < 0.6) result = result.slice(0, at) + pick(random, FRAGMENTS) + result.slice(until);
    else if (r < 0.8) result = result.slice(0, at) + result.slice(until);
    else if (r < 0.9) result = result.slice(0, until) + result.slice(at);
    else if (r < 0.93) result = result.slice(0, at);
  }
  return result;
}

function body(random: Random): string {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
  return Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
    const text = latin1(line(random));
    return random() < 0.6 ? damaged(random, text) : text;
  }).join('');
}

/** What must become of a body, line by line, and of the model. */
function expected(model: Model, text: string): { stored: number; skipped: number; refusedLines: number[] } {
  const counts = { stored: 0, skipped: 0, refusedLines: [] as number[] };
  for (const [i, one] of splitLines(text).entries()) {
    const parsed = parseLine(one, KNOWN, CLUSTER, T0);
    const { outcome } = parsed;
    if (outcome === 'stored') {
      model.write(parsed);
      counts.stored++;
    } else if (outcome === 'skipped') counts.skipped++;
    else if (outcome === 'refused') counts.refusedLines.push(i + 1);
  }
  return counts;
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** What is stored, as text: series names and times, values by their bits. */
function contents(all: Iterable<ExportedSeries>): string[] {
  return [...all]
    .flatMap(({ levels, metric: name, frequency, start, values }) =>
      [...values.entries()]
        .filter(([, value]) => !Number.isNaN(value))
        .map(([i, value]) => `${keyOf(levels, name)} ${start + i * frequency} ${Object.is(value, -0) ? '-0' : value}`),
    )
    .sort();
}

function wanted(model: Model): string[] {
  const decoded = (name: string): string => Buffer.from(name, 'latin1').toString();
  return [...model.series.values()]
    .flatMap(({ levels, metric: name, frequency, first, bins }) =>
      [...bins].map(([bin, value]) => {
        const key = keyOf(levels.map(decoded), decoded(name));
        return `${key} ${first + bin * frequency} ${Object.is(value, -0) ? '-0' : value}`;
      }),
    )
    .sort();
}

/** Stores a body the way the pool does: cut by host, one core a partition; lines that went astray are sent on. */
function writeRouted(router: HostRouter, cores: Core[], text: string): WriteOutcome {
  const bytes = bytesOf(text);
  const buffer = new ArrayBuffer(bytes.length + 7);
  new Uint8Array(buffer).set(bytes);
  const write = ({ partition, body: part, length }: Part): Written => {
    const core = cores[partition];
    if (!core) throw new Error(`no partition ${partition}`);
    const batch = core.writes.ingest(new Uint8Array(part, 0, length), CLUSTER, 0, T0);
    return { body: part, stored: batch.stored, skipped: batch.skipped, batch };
  };
  const parts = router.split(buffer, bytes.length, CLUSTER);
  const written = parts.map(write);
  const strays = written.flatMap(({ batch, body: whole }) =>
    batch?.strays.length ? router.cut(whole, bytes.length, batch.strays) : [],
  );
  return joinOutcomes([...parts, ...strays], [...written, ...strays.map(write)]);
}

const ROUNDS = process.env.CCMS_LONG ? 40_000 : 3000;

describe('lines', () => {
  it('are stored, skipped and refused as a plain parser says, however they are damaged', () => {
    const random = seeded(11);
    let model = new Model(METRICS);
    let core = startCore(METRICS);
    for (let round = 0; round < ROUNDS; round++) {
      const text = body(random);
      const want = expected(model, text);
      const got = core.writes.ingest(bytesOf(text), CLUSTER, 0, T0);
      core.writes.logTaken();
      const { stored, skipped, refused } = got;
      expect({ stored, skipped, refused }, JSON.stringify(text)).toEqual({
        stored: want.stored,
        skipped: want.skipped,
        refused: want.refusedLines.length,
      });
      expect(
        got.refusals.map(([at]) => at),
        JSON.stringify(text),
      ).toEqual(want.refusedLines.slice(0, 16));
      expect(got.refusals.every(([, reason]) => reason > LineError.None && reason !== LineError.OutOfMemory)).toBe(
        true,
      );
      if (round % 100 !== 99) continue;
      expect(contents(exportAll([core]).values())).toEqual(wanted(model));
      model = new Model(METRICS);
      core = startCore(METRICS);
    }
  });

  it('end up the same when a body is cut at newlines', () => {
    const random = seeded(12);
    const whole = startCore(METRICS);
    const cut = startCore(METRICS);
    for (let round = 0; round < ROUNDS / 10; round++) {
      const text = body(random);
      const { stored, skipped, refused } = whole.writes.ingest(bytesOf(text), CLUSTER, 0, T0);
      const lines = splitLines(text);
      const got = { stored: 0, skipped: 0, refused: 0 };
      while (lines.length) {
        const piece = lines.splice(0, 1 + Math.floor(random() * 3)).join('\n') + (lines.length ? '\n' : '');
        const batch = cut.writes.ingest(bytesOf(piece), CLUSTER, 0, T0);
        got.stored += batch.stored;
        got.skipped += batch.skipped;
        got.refused += batch.refused;
      }
      expect(got, JSON.stringify(text)).toEqual({ stored, skipped, refused });
    }
    expect(contents(exportAll([cut]).values())).toEqual(contents(exportAll([whole]).values()));
  });

  for (const partitions of [2, 3, 7]) {
    it(`end up the same in ${partitions} partitions, each host in its own`, () => {
      const random = seeded(13);
      const whole = startCore(METRICS);
      const router = new HostRouter(coreModule(), partitions, new Buffers());
      const cores = Array.from({ length: partitions }, (_, index) => startCore(METRICS, { index, partitions }));
      for (let round = 0; round < ROUNDS / 10; round++) {
        const text = body(random);
        const { stored, skipped, refused, refusals } = whole.writes.ingest(bytesOf(text), CLUSTER, 0, T0);
        const got = writeRouted(router, cores, text);
        expect({ ...got, refusals: got.refusals.map(({ line: at }) => at) }, JSON.stringify(text)).toEqual({
          stored,
          skipped,
          refused,
          refusals: refusals.map(([at]) => at).slice(0, 8),
        });
      }
      expect(contents(exportAll(cores).values())).toEqual(contents(exportAll([whole]).values()));
      for (const [index, core] of cores.entries()) {
        for (const { levels } of exportAll([core]).values()) {
          // Names that are no UTF-8 come back with other characters.
          if (levels.some((name) => name.includes('\ufffd'))) continue;
          expect(router.partitionOf(levels[0] ?? '', levels[1] ?? '')).toBe(index);
        }
      }
    });
  }

  it('keep their numbers when a body of many hosts is cut', () => {
    const router = new HostRouter(coreModule(), 3, new Buffers());
    const cores = Array.from({ length: 3 }, (_, index) => startCore(METRICS, { index, partitions: 3 }));
    const lines = Array.from({ length: 400 }, (_, i) =>
      i % 90 === 50 ? `load,hostname=h${i % 7} value=bad 1` : `load,hostname=h${i % 7} value=1 ${T0 + 7 * DAY * i}`,
    );
    const { refusals, ...counts } = writeRouted(router, cores, lines.join('\n'));
    expect(counts).toEqual({ stored: 396, skipped: 0, refused: 4 });
    expect(refusals.map(({ line: at }) => at)).toEqual([51, 141, 231, 321]);
    expect(refusals[0]?.reason).toContain('bad value');
  });

  it('are not hidden by quotes in tags, comments and behind the fields', () => {
    const core = startCore(METRICS);
    const good = (host: string): string => `load,cluster=c,hostname=${host} value=1 ${T0}\n`;
    const texts = [`# it's 5" wide\n`, good('a"1'), `# "\n`, good('a2'), `load,hostname=a3 value=1 1 "\n`, good('a"4')];
    const batch = core.writes.ingest(bytesOf(texts.join('')), '', 0, T0);
    expect(batch).toMatchObject({ stored: 3, refused: 1, refusals: [[5, LineError.Garbage]] });
    // In a field a quote opens a string, with newlines in it or not.
    store(core, `unknown,hostname=a value="x\nload,cluster=c,hostname=no value=1 1\n" 7\n${good('a5')}`);
    expect(core.figures.hosts).toBe(4);
    expect(core.writes.ingest(bytesOf(`load,hostname=a value="never closed\n${good('a6')}`), 'c', 0, T0)).toMatchObject(
      {
        stored: 1,
        refused: 1,
      },
    );
  });

  it('with many quotes take no longer than others', () => {
    const core = startCore(METRICS);
    for (const unit of [
      '\\"\n',
      'a="\n',
      'unknown a="\n',
      'load,host=a" value="\n',
      '="',
      'x ="',
      'x "="',
      'x a=\\"\n',
    ]) {
      const text = bytesOf(unit.repeat((1 << 20) / unit.length));
      core.writes.ingest(text, 'c', 0, T0);
      Router.of(coreModule()).route(text, 'c', 3);
    }
  });

  it('need digits for a time', () => {
    const core = startCore(METRICS);
    // The first one makes the key known, so that the others come to the fast path.
    const prefix = 'load,cluster=c,hostname=a value=1 ';
    const texts = ['1699999200123', '\0\0\0\0\0\0\0\0\0\0', '\0\0\0\0\0\0\0\x0000', '169999920x', '16999992000\0'];
    const batch = core.writes.ingest(bytesOf(texts.map((time) => `${prefix}${time}\n`).join('')), '', 0, T0);
    expect(batch).toMatchObject({ stored: 1, refused: 4 });
    expect(core.writes.ingest(bytesOf(`${prefix}1\n${prefix}${'\0'.repeat(10)}\n`), '', 0, T0)).toMatchObject({
      refused: 1,
    });
  });

  it('end where the text ends, whatever an earlier text has left behind', () => {
    const core = startCore(METRICS);
    const text = `load,cluster=c,hostname=a value=1234 ${T0}\n`;
    for (let n = text.indexOf('1234') + 1; n < text.length; n++) {
      store(core, text);
      const cutOff = core.writes.ingest(bytesOf(text.slice(0, n)), '', 0, T0 + 7 * DAY);
      expect(cutOff, text.slice(0, n)).toMatchObject({ lines: 1, stored: 1 });
      const [series] = exportAll([core]).values();
      const digits = /value=(\d+)/.exec(text.slice(0, n))?.[1];
      const timed = n > text.indexOf(String(T0));
      if (!timed) expect(series?.values[1], text.slice(0, n)).toBe(Number(digits));
    }
  });

  it('of one series in ever other spellings do not follow forgotten keys', () => {
    const core = startCore(METRICS);
    const spellings = Array.from(
      { length: 50 },
      (_, i) => `load,cluster=c,hostname=a,job=${i} value=${i} ${T0 + 7 * DAY * i}\n`,
    );
    for (let round = 0; round < 20; round++) {
      // Neighbours in memory must live through it, too.
      const others = Array.from({ length: 20 }, (_, i) => `load,cluster=c,hostname=b${round}-${i} value=1 ${T0}\n`);
      store(core, [...spellings, ...others].join(''));
    }
    expect(core.figures.series).toBe(401);
    const range = { cluster: 'c', from: 0, to: T0 * 3, withStats: true, withData: true, withPadding: false };
    const [[answer] = []] = ask(core, range, [seriesQuery({ metric: 'load', host: 'a' })]);
    expect(answer?.data).toEqual(spellings.map((_, i) => i));
  });
});

describe('names that look alike', () => {
  it('lead to different series', () => {
    const core = startCore(METRICS, { module: coreModule() });
    const tags = [
      'hostname=a1',
      'hostname=a11',
      'hostname=a1,type=hwthread,type-id=1',
      'hostname=a1,type=hwthread,type-id=11',
      'hostname=a1,type=hwthread,type-id=1,stype=s,stype-id=1',
      'hostname=a1,type=hwthread,type-id=1,stype=s,stype-id=11',
      'hostname=a1,type=hwthread,type-id=1s1',
      'hostname=a,type=1hwthread,type-id=1',
      'hostname=a1,type=hwthread,type-id=1,stype=s1',
      'hostname=A1',
    ];
    const texts = tags.flatMap((tag, i) => [
      `load,cluster=c,${tag} value=${i} ${T0}`,
      `load,cluster=c1,${tag} value=${i + 100} ${T0}`,
    ]);
    // Twice: parsed first, then found by their bytes.
    for (let round = 0; round < 2; round++) store(core, `${texts.join('\n')}\n`);
    // One pair names the same level in two ways.
    const all = exportAll([core]);
    expect(all.size).toBe(2 * (tags.length - 1));
    const value = (...levels: string[]): number | undefined => all.get(keyOf(levels, 'load'))?.values[0];
    expect(value('c', 'a1')).toBe(0);
    expect(value('c', 'a11')).toBe(1);
    expect(value('c', 'a1', 'hwthread1')).toBe(2);
    expect(value('c', 'a1', 'hwthread11')).toBe(3);
    expect(value('c', 'a1', 'hwthread1', 's11')).toBe(5);
    expect(value('c', 'a1', 'hwthread1', 's1')).toBe(8);
    expect(value('c', 'a1', 'hwthread1s1')).toBe(6);
    expect(value('c', 'a', '1hwthread1')).toBe(7);
    expect(value('c', 'A1')).toBe(9);
    expect(value('c1', 'a1')).toBe(100);
  });

  it('do not share the cluster of another request', () => {
    const core = startCore(METRICS);
    for (const cluster of ['c', 'd', 'c', 'cc', 'd']) store(core, `load,hostname=a value=1 ${T0}\n`, cluster);
    expect(core.figures.clusters().map(({ name }) => name)).toEqual(['c', 'd', 'cc']);
    expect(core.writes.ingest(bytesOf(`load,hostname=a value=1 ${T0}\n`), '', 0, T0)).toMatchObject({
      refusals: [[1, LineError.NoCluster]],
    });
    // More default clusters than are remembered.
    for (let i = 0; i < 1000; i++) store(core, `load,hostname=a value=${i} ${T0}\n`, `x${i}`);
    store(core, `load,hostname=a value=7 ${T0}\n`, 'x3');
    expect(exportAll([core]).get(keyOf(['x3', 'a'], 'load'))?.values[0]).toBe(7);
    expect(exportAll([core]).get(keyOf(['x4', 'a'], 'load'))?.values[0]).toBe(4);
  });
});
