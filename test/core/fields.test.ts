/** Lines of several fields: what becomes of fields, tags, and of what is remembered of both. */
import { describe, expect, it } from 'vitest';
import type { MetricConfig } from '../../src/config/config.js';
import { tagRules } from '../../src/config/influx-tags.js';
import type { Core } from '../../src/wasm/core.js';
import { LineError } from '../../src/wasm/tables/codes.js';
import type { Batch } from '../../src/wasm/writes.js';
import { coreModule, exportAll, metric, startCore, T0 } from '../support/core-driver.js';
import { seeded } from '../support/random.js';
import { pick } from './spelling.js';

const NAMES = ['cpu_user', 'cpu_idle', 'cpu', 'disk_used', 'disk_free space', 'net_in', 'net_out', 'gpu_temp', 'ib_rx'];
const METRICS = new Map<string, MetricConfig>(NAMES.map((name) => [name, metric(10, 'sum')]));
const encoder = new TextEncoder();

function start(settings = {}, options = {}): Core {
  const core = startCore(METRICS, options);
  core.writes.setTags(tagRules(settings));
  return core;
}

function ingest(core: Core, text: string, cluster = 'c'): Batch {
  return core.writes.ingest(encoder.encode(text), cluster, 0, T0, undefined, 'all');
}

/** "cluster/host/level/sublevel metric" -> the bins that are not missing. */
function stored(core: Core): Record<string, number[]> {
  const entries = [...exportAll([core]).values()].map(({ levels, metric, values }) => [
    `${levels.join('|')} ${metric}`,
    [...values].filter((value) => !Number.isNaN(value)),
  ]);
  return Object.fromEntries(entries);
}

describe('a line of several fields', () => {
  it('is a sample a field, whatever their order, booleans as 0 and 1, strings left out', () => {
    const core = start();
    const text = [
      `cpu,host=h user=1.5,idle=98i,value=3u ${T0}000000000`,
      `cpu,host=h idle=97i,note="a,b c=\\" 1",user=t,other=1 ${T0 + 10}000000000`,
      `cpu,host=h user="2" ${T0 + 20}000000000`,
      `cpu,host=h user=FALSE`,
      '',
    ].join('\n');
    expect(ingest(core, text)).toMatchObject({ lines: 4, stored: 6, skipped: 2, leftOut: 1, refused: 0 });
    // The last one has no time: it is now, T0.
    expect(stored(core)).toEqual({ 'c|h cpu_user': [0, 1], 'c|h cpu_idle': [98, 97], 'c|h cpu': [3] });
  });

  it('names its metrics without escapes', () => {
    const core = start();
    expect(ingest(core, `disk,host=h free\\ space=1 ${T0}\ndisk,host=h free\\ space=2 ${T0 + 10}`).stored).toBe(2);
    expect(stored(core)).toEqual({ 'c|h disk_free space': [1, 2] });
  });

  it('is refused as a whole when a field of a known metric is bad, and others are stored', () => {
    const core = start();
    const bad: [string, LineError][] = [
      ['cpu,host=h user=1,idle=x', LineError.BadValue],
      ['cpu,host=h user=1,idle=nan', LineError.BadValue],
      ['cpu,host=h user=1,idle=1e999', LineError.OutOfRange],
      ['cpu,host=h user=1,', LineError.NoFields],
      ['cpu,host=h user=1,=2', LineError.NoFields],
      ['cpu,host=h', LineError.NoFields],
      ['cpu,host=h user="open', LineError.BadValue],
      ['cpu,host=h user=1"x"', LineError.BadValue],
      ['cpu,host=h user="x"y', LineError.BadValue],
      ['cpu,host=h user=1 -5', LineError.NegativeTimestamp],
      ['cpu,host=h user=1 5x', LineError.BadTimestamp],
      ['cpu,host=h user=1 5 6', LineError.Garbage],
      ['cpu user=1', LineError.NoHost],
      [',host=h user=1', LineError.NoMetric],
      ['cpu,host=a/b user=1', LineError.UnsafeName],
    ];
    // Known from the first line on, so that each takes the short way as well.
    const good = `cpu,host=h user=1 ${T0}\n`;
    for (const [text, reason] of bad) {
      for (const before of ['', good]) {
        const batch = ingest(core, `${before}${text}\n${good}`);
        expect([text, batch.refused, batch.refusals.map(([line, why]) => [line, why])]).toEqual([
          text,
          1,
          [[before ? 2 : 1, reason]],
        ]);
        expect(batch.stored).toBe(before ? 2 : 1);
      }
    }
    expect(stored(core)).toEqual({ 'c|h cpu_user': [1] });
  });

  it('takes anything as value of an unknown metric', () => {
    const core = start();
    expect(ingest(core, `x,host=h a=nan,b=yes,c="z" ${T0}\nx,host=h a=1 ${T0}`)).toMatchObject({
      stored: 0,
      skipped: 4,
      leftOut: 0,
      refused: 0,
    });
    expect(stored(core)).toEqual({});
  });

  it('skips comments and blank lines, and takes CRLF and a missing last newline', () => {
    const core = start();
    expect(ingest(core, `# c\r\n\r\n\ncpu,host=h user=1 ${T0}\r\n  # d\ncpu,host=h user=2 ${T0 + 10}`)).toMatchObject({
      lines: 6,
      stored: 2,
      refused: 0,
    });
  });
});

describe('tags', () => {
  it("of Telegraf's inputs become levels by the defaults", () => {
    const core = start();
    const text = [
      'cpu,cpu=cpu7,host=h user=1',
      'cpu,cpu=cpu-total,host=h user=2',
      'net,host=h,interface=eth0 in=3',
      'net,host=h,interface=all in=4',
      'disk,device=vda1,fstype=ext4,host=h,mode=rw,path=/ used=5',
      'disk,device=tmpfs,fstype=tmpfs,host=h,mode=rw,path=/dev/shm used=6',
      'ib,device=mlx5_0,host=h,port=1 rx=7',
      'gpu,host=h,index=0,name=NVIDIA\\ A40,uuid=GPU-1 temp=8',
      'gpu,host=h,uuid=GPU-2 temp=9',
      'cpu,hostname=h,type=socket,type-id=1,cluster=d,unit=% user=10',
    ].join('\n');
    expect(ingest(core, text)).toMatchObject({ stored: 10, refused: 0 });
    expect(stored(core)).toEqual({
      'c|h|hwthread7 cpu_user': [1],
      'c|h cpu_user': [2],
      'c|h|interfaceeth0 net_in': [3],
      'c|h net_in': [4],
      'c|h|path%2F disk_used': [5],
      'c|h|path%2Fdev%2Fshm disk_used': [6],
      'c|h|devicemlx5_0|port1 ib_rx': [7],
      'c|h|accelerator0 gpu_temp': [8],
      'c|h|acceleratorGPU-2 gpu_temp': [9],
      'd|h|socket1 cpu_user': [10],
    });
  });

  it('follow the configuration, in its order and not in the order of the line', () => {
    const core = start({
      bank: { type: 'dimm', cut: 'b' },
      chip: { node: 'none', unless: ['bank'] },
      rank: {},
      job: null,
    });
    const text = [
      'cpu,bank=b1,chip=x,host=h,job=5,rank=2 user=1',
      'cpu,host=h,rank=2,job=6,bank=b1 user=2 1699999210',
      'cpu,chip=none,host=h,rank=2 user=3',
      'cpu,chip=c,host=h user=4',
    ].join('\n');
    expect(ingest(core, text)).toMatchObject({ stored: 4, refused: 0 });
    expect(stored(core)).toEqual({
      'c|h|dimm1|rank2 cpu_user': [1, 2],
      'c|h|rank2 cpu_user': [3],
      'c|h|chipc cpu_user': [4],
    });
  });

  it('that no rule names refuse the line, and are named; so do values that would not be told apart', () => {
    const core = start();
    const cases: [string, LineError, string | undefined][] = [
      ['cpu,host=h,rack=7 user=1', LineError.UnknownTag, 'rack'],
      ['cpu,host=h,ra\\ ck=7 user=1', LineError.UnknownTag, 'ra\\ ck'],
      ['cpu,cpu=7,host=h user=1', LineError.BadTagValue, '7'],
      ['cpu,cpu=cpu,host=h user=1', LineError.BadTagValue, 'cpu'],
      ['cpu,cpu=cpu1,host=h,interface=e,path=p user=1', LineError.TooManyLevels, undefined],
      [`cpu,host=h,interface=${'x'.repeat(250)} user=1`, LineError.NameTooLong, undefined],
      ['cpu,host=h,type=socket,type-id=1,stype=a,stype-id=1,port=1 user=1', LineError.TooManyLevels, undefined],
    ];
    for (const [text, reason, tag] of cases) {
      const expected = tag === undefined ? [1, reason] : [1, reason, tag];
      expect([text, ingest(core, text).refusals]).toEqual([text, [expected]]);
    }
    expect(stored(core)).toEqual({});
  });

  it('never make one level of two values', () => {
    const core = start();
    const paths = ['a/b', 'a%2Fb', 'a%2fb', 'a\\\\b', 'a..b', 'a.%2Eb', 'a. .b', 'ü', '..', '.', '%', '/..'];
    const text = paths.map((path, i) => `disk,host=h,path=${path.replaceAll(' ', '\\ ')} used=${i}`).join('\n');
    expect(ingest(core, text)).toMatchObject({ stored: paths.length, refused: 0 });
    const levels = [...exportAll([core]).values()].map(({ levels }) => levels[2] ?? '');
    expect(new Set(levels).size).toBe(paths.length);
    for (const level of levels) expect(level).not.toMatch(/[/\\]|\.\./);
  });

  it('can change their meaning while the server runs', () => {
    const core = start();
    ingest(core, `net,host=h,interface=e in=1 ${T0}`);
    core.writes.setTags(tagRules({ interface: { type: 'nic' } }));
    ingest(core, `net,host=h,interface=e in=2 ${T0 + 10}`);
    expect(stored(core)).toEqual({ 'c|h|interfacee net_in': [1], 'c|h|nice net_in': [2] });
  });
});

describe('what is remembered of lines', () => {
  it('goes with the series, and comes again', () => {
    const core = start();
    const lines = (time: number) =>
      Array.from({ length: 50 }, (_, i) => `cpu,host=h${i} user=${i},idle=1,cpu=${i} ${time}`).join('\n');
    ingest(core, lines(T0));
    const sizes: number[] = [];
    for (let round = 1; round < 8; round++) {
      expect(core.writes.retainStep(0, core.series.end, T0 + 1e6 * round).next).toBe(-1);
      expect(stored(core)).toEqual({});
      expect(ingest(core, lines(T0 + 1e6 * round))).toMatchObject({ stored: 100, skipped: 50, refused: 0 });
      expect(Object.keys(stored(core)).length).toBe(100);
      core.writes.logTaken();
      core.writes.logStartSegment();
      sizes.push(core.figures.memory.index);
    }
    // Numbers of series are used again only in the next segment of the log, which takes some room the first time.
    expect(sizes.at(-1)).toBe(sizes[2]);
  });

  it('is apart for each cluster of requests, and for lines of one field', () => {
    const core = start();
    for (const cluster of ['c', 'd', 'c']) ingest(core, `cpu,host=h user=1,idle=2 ${T0}`, cluster);
    core.writes.ingest(encoder.encode(`cpu,host=h value=9 ${T0}\ncpu_user,host=h value=7 ${T0}`), 'c', 0, T0);
    ingest(core, `cpu,host=h user=3,value=4 ${T0 + 10}`);
    expect(stored(core)).toEqual({
      'c|h cpu_user': [7, 3],
      'c|h cpu_idle': [2],
      'c|h cpu': [9, 4],
      'd|h cpu_user': [1],
      'd|h cpu_idle': [2],
    });
  });

  it('is of hosts of this partition only: others are handed back', () => {
    const core = start({}, { index: 1, partitions: 2 });
    const hosts = Array.from({ length: 20 }, (_, i) => `h${i}`);
    const text = hosts.map((host) => `cpu,host=${host} user=1,idle=2 ${T0}`).join('\n');
    // What is remembered of a line without a known metric must not make its host this partition's.
    ingest(core, hosts.map((host) => `cpu,host=${host} other=1 ${T0}`).join('\n'));
    for (let round = 0; round < 2; round++) {
      const batch = ingest(core, text);
      const own = hosts.filter((host) => core.owns('c', host));
      expect(batch.stored).toBe(2 * own.length);
      expect(batch.strays.reduce((sum, { lines }) => sum + lines, 0)).toBe(hosts.length - own.length);
      expect(new Set(batch.strays.map(({ partition }) => partition))).toEqual(new Set([0]));
    }
  });
});

it.each(['core.wasm', 'core.debug.wasm'])(
  'stores what the same samples as lines of one field do, in any order, with %s',
  (module) => {
    const random = seeded(17);
    const many = start({}, { module: coreModule(module) });
    const single = startCore(METRICS);
    const fieldsOf = { cpu: ['user', 'idle', 'value'], disk: ['used', 'free\\ space'], net: ['in', 'out'] } as const;
    for (let step = 0; step < 300; step++) {
      const texts: string[] = [];
      const singles: string[] = [];
      for (let i = 0; i < 8; i++) {
        const measurement = pick(random, ['cpu', 'disk', 'net'] as const);
        const host = pick(random, ['h1', 'h2', 'h\\ 3']);
        const level = pick(random, ['', 'interface=e0', 'cpu=cpu3', 'cpu=cpu12', 'cpu=cpu-total']);
        const time = T0 + 10 * Math.max(0, step - Math.floor(random() * 3));
        const chosen = fieldsOf[measurement].filter(() => random() < 0.7).sort(() => random() - 0.5);
        if (!chosen.length) continue;
        const values = chosen.map(
          (field) => [field, (random() * 1e6 - 5e5).toFixed(Math.floor(random() * 9))] as const,
        );
        const unit = pick(random, [`${time}`, `${time}000`, `${time}000000000`]);
        const extra = random() < 0.2 ? ',unknown=5' : '';
        const text = values.map(([field, value]) => `${field}=${value}`).join(',');
        texts.push(`${measurement},host=${host}${level && `,${level}`} ${text}${extra} ${unit}`);
        const [, type = '', id = ''] = /^(interface|cpu)=(?:cpu)?(.*)$/.exec(level) ?? [];
        const own = type && id !== '-total' ? `,type=${type === 'cpu' ? 'hwthread' : type},type-id=${id}` : '';
        for (const [field, value] of values) {
          const name = field === 'value' ? measurement : `${measurement}_${field}`;
          singles.push(`${name},host=${host}${own} value=${value} ${time}`);
        }
      }
      expect(ingest(many, texts.join('\n')).refusals).toEqual([]);
      expect(single.writes.ingest(encoder.encode(singles.join('\n')), 'c', 0, T0).refused).toBe(0);
    }
    const sorted = (core: Core) => Object.fromEntries(Object.entries(stored(core)).sort());
    expect(sorted(many)).toEqual(sorted(single));
  },
);
