/** A core that has no hosts checks lines: it must say of each what a core that stores them says. */
import { describe, expect, it } from 'vitest';
import { tagRules } from '../../src/config/influx-tags.js';
import { Core } from '../../src/wasm/core.js';
import { CHECKS_ONLY } from '../../src/wasm/tables/codes.js';
import { coreModule } from '../support/core-driver.js';
import { seeded } from '../support/random.js';

const METRICS = new Map([['cpu_load', { frequency: 60, aggregation: 'avg', precision: 'double' } as const]]);
const MODULE = coreModule();
const NOW = 1_800_000_000;
const LIMITS = { oldest: NOW - 1000, newest: NOW + 600, isTrusted: true };
const GOOD = [
  `cpu_load,cluster=c,hostname=h1,type=node value=1 ${NOW}`,
  `cpu_load,hostname=h2,type=hwthread,type-id=3 value=2i ${NOW}000`,
  'cpu_load,cluster=c,host=h\\ 3 value=3.5e2',
  `other,cluster=c,hostname=h1 value=1 ${NOW}`,
  `cpu_load,cluster=c,hostname=old value=1 ${NOW - 5000}`,
  `cpu_load,cluster=c,hostname=new value=1 ${NOW + 5000}`,
  '# comment',
  '',
  'cpu_load value=1',
  'cpu_load,cluster=c,hostname=.. value=1',
  'cpu_load,cluster=c,hostname=h1 value="text\nmore" 1',
];

/** Lines of several fields. */
const GOOD_FIELDS = [
  `cpu,host=h1,cpu=cpu1 load=1,idle=2i,x="a,b" ${NOW}`,
  `cpu,host=h1,cpu=cpu-total idle=2,load=t,value=3 ${NOW}000000000`,
  `cpu,host=h2,interface=e load=1.5`,
  `cpu,host=old load=1,idle=2 ${NOW - 5000}`,
  `cpu,host=new idle=2,load=1 ${NOW + 5000}`,
  `other,host=new load=1 ${NOW + 5000}`,
  'cpu,host=h1,rack=1 load=1',
  'cpu load=1',
  '# comment',
  '',
];

/** A body of good and damaged lines. */
function body(random: () => number, good = GOOD): string {
  return Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
    let line = good[Math.floor(random() * good.length)] ?? '';
    for (let n = Math.floor(random() * 3); n > 0; n--) {
      const at = Math.floor(random() * (line.length + 1));
      line = `${line.slice(0, at)}${',= "\\1e\n'[Math.floor(random() * 8)]}${line.slice(at + (random() < 0.5 ? 1 : 0))}`;
    }
    return line;
  }).join('\n');
}

describe('checking', () => {
  it('refuses and skips what storing does, and finds the lines that are stored', () => {
    const random = seeded(20);
    for (let i = 0; i < 1200; i++) {
      const text = Buffer.from(body(random));
      const stores = new Core(MODULE, METRICS, 0, 1);
      const checks = new Core(MODULE, METRICS, CHECKS_ONLY, 1);
      const stored = stores.writes.ingest(text, 'c', 0, NOW, LIMITS);
      const checked = checks.writes.ingest(text, 'c', 0, NOW, LIMITS);
      const { refused, refusals, skipped, lines, faults } = stored;
      expect(checked, text.toString()).toMatchObject({ refused, refusals, skipped, lines, faults, stored: 0 });
      expect(checked.strays.reduce((n, run) => n + run.lines, 0)).toBe(stored.stored);
      const good = checked.strays.map(({ offset, length }) => `${text.subarray(offset, offset + length)}\n`).join('');
      const again = new Core(MODULE, METRICS, 0, 1).writes.ingest(Buffer.from(good), 'c', 0, NOW, LIMITS);
      expect([again.stored, again.refused, again.skipped]).toEqual([stored.stored, 0, 0]);
    }
  });

  it('says the same of lines whose tags came before, with this metric or another', () => {
    const metric = { frequency: 60, aggregation: 'avg', precision: 'double' } as const;
    const metrics = new Map(['cpu_load', 'cpu', 'mem'].map((name) => [name, metric]));
    const kept = new Core(MODULE, metrics, CHECKS_ONLY, 5);
    const random = seeded(22);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const names = ['cpu_load', 'cpu', 'mem', 'other', 'cpu\\ load', '#mem', ' mem'];
    const tags = ['', ...Array.from({ length: 40 }, (_, i) => `,hostname=h${i % 9},type=hwthread,type-id=${i}`)];
    const more = ['', ',cluster=a', ',cluster=b', ',unit=MB', ',hostname=', ',x=a\\ b'];
    const values = ['value=1', 'value=2i', 'value=x', ' value=1', 'value=1,a=2', 'load=1', 'value='];
    const times = [` ${NOW}`, ` ${NOW}`, ` ${NOW}000`, '', ` ${NOW - 5000}`, ` ${NOW + 5000}`, ' x', ` ${NOW} `];
    let fast = 0;
    for (let i = 0; i < 600; i++) {
      const lines = Array.from({ length: 8 }, () => {
        const isOdd = random() < 0.2;
        const [value, time] = isOdd ? [pick(values), pick(times)] : ['value=1.5', ` ${NOW}`];
        return `${pick(isOdd ? names : names.slice(0, 3))}${pick(tags)}${isOdd ? pick(more) : ''} ${value}${time}`;
      });
      const text = Buffer.from(lines.join('\n'));
      const cluster = pick(['c', 'd', '']);
      const checked = kept.writes.ingest(text, cluster, 0, NOW, LIMITS);
      const fresh = new Core(MODULE, metrics, CHECKS_ONLY, 5).writes.ingest(text, cluster, 0, NOW, LIMITS);
      expect(checked, text.toString()).toEqual(fresh);
      const stored = new Core(MODULE, metrics, 0, 1).writes.ingest(text, cluster, 0, NOW, LIMITS);
      const { refused, refusals, skipped, faults } = stored;
      expect(checked, text.toString()).toMatchObject({ refused, refusals, skipped, faults });
      fast += checked.strays.reduce((n, run) => n + run.lines, 0);
    }
    expect(fast).toBeGreaterThan(2_500);
  });

  it('does so for lines of several fields', () => {
    const metric = { frequency: 60, aggregation: 'avg', precision: 'double' } as const;
    const metrics = new Map(['cpu_load', 'cpu_idle', 'cpu'].map((name) => [name, metric]));
    const start = (index: number): Core => {
      const core = new Core(MODULE, metrics, index, 1);
      core.writes.setTags(tagRules());
      return core;
    };
    const random = seeded(21);
    for (let i = 0; i < 1200; i++) {
      const text = Buffer.from(body(random, GOOD_FIELDS));
      const stored = start(0).writes.ingest(text, 'c', 0, NOW, LIMITS, 'all');
      const checked = start(CHECKS_ONLY).writes.ingest(text, 'c', 0, NOW, LIMITS, 'all');
      const { refused, refusals, lines, faults } = stored;
      expect(checked, text.toString()).toMatchObject({ refused, refusals, lines, faults, stored: 0 });
      const good = checked.strays.map(({ offset, length }) => `${text.subarray(offset, offset + length)}\n`).join('');
      const again = start(0).writes.ingest(Buffer.from(good), 'c', 0, NOW, LIMITS, 'all');
      expect([again.stored, again.refused], text.toString()).toEqual([stored.stored, 0]);
    }
  });
});
