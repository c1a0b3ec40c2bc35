/** What is known of metrics that arrive without being configured. */
import { expect, it } from 'vitest';
import { tagRules } from '../../src/config/influx-tags.js';
import type { Core } from '../../src/wasm/core.js';
import type { UnconfiguredMetric } from '../../src/wasm/unconfigured.js';
import { metrics, startCore, T0 } from '../support/core-driver.js';

const encoder = new TextEncoder();

function start(): Core {
  const core = startCore(metrics(['load', 60], ['cpu_user', 10]));
  core.writes.setTags(tagRules({}));
  return core;
}

/** @param now when the text arrives, unix seconds. */
function ingest(core: Core, text: string, fields: 'value' | 'all' = 'value', now = T0): number {
  return core.writes.ingest(encoder.encode(text), 'c', 0, now, undefined, fields).skipped;
}

function seen(core: Core): Record<string, Omit<UnconfiguredMetric, 'metric'>> {
  return Object.fromEntries(core.figures.unconfigured.metrics.map(({ metric, ...rest }) => [metric, rest]));
}

it('counts them, with their levels and how often a series is sent', () => {
  const core = start();
  for (let step = 0; step < 3; step++) {
    const time = T0 + 30 * step;
    const lines = ['load,hostname=h value=1', 'ipc,hostname=h,type=node value=1'];
    for (let thread = 0; thread < 4; thread++) lines.push(`ipc,hostname=h,type=hwthread,type-id=${thread} value=1`);
    const text = lines.map((line) => `${line} ${time}000000000\n`).join('');
    expect(ingest(core, text, 'value', time + 2)).toBe(5);
  }
  expect(seen(core)).toEqual({
    ipc: {
      samples: 15,
      step: 30,
      levels: ['', 'hwthread'],
      newest: T0 + 62,
      example: 'ipc,hostname=h,type=node',
    },
  });
});

it('knows fields by the names of their metrics, and leaves out strings', () => {
  const core = start();
  const text = (time: number): string =>
    `cpu,cpu=cpu3,host=h user=1,nice=2,note="x" ${time}\nmem,host=h value=3,free\\ pages=4i,on=t ${time}\n`;
  // The first line's group is known when `nice` comes for the second time.
  ingest(core, text(T0), 'all');
  ingest(core, text(T0 + 10), 'all');
  const cpu = { samples: 2, step: 10, levels: ['hwthread'], newest: T0, example: 'cpu,cpu=cpu3,host=h' };
  const mem = { ...cpu, levels: [''], example: 'mem,host=h' };
  expect(seen(core)).toEqual({ cpu_nice: cpu, mem, 'mem_free pages': mem, mem_on: mem });
});

it('learns the level of a name that comes with a known group', () => {
  const core = start();
  ingest(core, `cpu,cpu=cpu3,host=h user=1 ${T0}\ncpu,cpu=cpu3,host=h user=1,nice=2 ${T0}`, 'all');
  expect(seen(core).cpu_nice).toMatchObject({ samples: 1, levels: ['hwthread'] });
});

it('takes the time of arrival for lines without a time, and any line for what it can', () => {
  const core = start();
  ingest(core, 'a,hostname=h value=1\nb value=1 5\nc,hostname=h other=1 x\n', 'value', T0);
  ingest(core, 'a,hostname=h value=1 \r\nb value=1 3\nc,hostname=h other=1 x', 'value', T0 + 7);
  expect(seen(core)).toEqual({
    a: { samples: 2, step: 7, levels: [''], newest: T0 + 7, example: 'a,hostname=h' },
    // Older than the one before; no host, no level.
    b: { samples: 2, step: 0, levels: [], newest: T0 + 7, example: 'b' },
    c: { samples: 2, step: 7, levels: [''], newest: T0 + 7, example: 'c,hostname=h' },
  });
});

it('follows another series once the example has not come for an hour', () => {
  const core = start();
  ingest(core, `a,hostname=gone value=1 ${T0}`, 'value', T0);
  ingest(core, `a,hostname=h value=1 ${T0 + 3600}`, 'value', T0 + 3600);
  expect(seen(core).a?.example).toBe('a,hostname=gone');
  ingest(core, `a,hostname=h value=1 ${T0 + 3601}`, 'value', T0 + 3601);
  ingest(core, `a,hostname=h value=1 ${T0 + 3661}`, 'value', T0 + 3661);
  expect(seen(core).a).toMatchObject({ example: 'a,hostname=h', step: 60, samples: 4 });
});

it('takes bounded memory from random names, which do not drive out those that come again', () => {
  const core = start();
  const steady = (time: number): string => `steady,hostname=h,type=socket,type-id=1 value=1 ${time}\n`.repeat(20);
  ingest(core, steady(T0));
  const before = core.figures.memory.index;
  let random = '';
  for (let i = 0; i < 20_000; i++) random += `r${i},hostname=h${i} value=1 ${T0}\n`;
  ingest(core, random);
  const flooded = core.figures.memory.index;
  ingest(core, random.replaceAll('r', 's'));
  ingest(core, steady(T0 + 60));
  const { metrics: listed, forgotten } = core.figures.unconfigured;
  expect(listed.length).toBe(512);
  expect(forgotten).toBe(40_001 - 512);
  expect(seen(core).steady).toMatchObject({ samples: 40, step: 60, levels: ['socket'] });
  // 512 rows; what else there is are the 16384 prefixes that are remembered in any case.
  expect(flooded - before).toBeLessThan(4 << 20);
  expect(core.figures.memory.index - flooded).toBeLessThan(64 << 10);
});

it('learns a name anew that has been forgotten while its prefix is still known', () => {
  const core = start();
  const line = `a,hostname=h,type=hwthread,type-id=0 value=1 ${T0}\n`;
  ingest(core, line);
  let random = '';
  for (let i = 0; i < 3000; i++) random += `r${i},hostname=h value=1 ${T0}\n`.repeat(2);
  ingest(core, random);
  expect(seen(core).a).toBeUndefined();
  ingest(core, line);
  expect(seen(core).a).toMatchObject({ samples: 1, levels: ['hwthread'] });
});

it('cuts long names and prefixes without harm', () => {
  const core = start();
  const name = 'n'.repeat(256);
  ingest(core, `${name},hostname=h value=1 ${T0}\n${name}x,hostname=h value=1 ${T0}\n`);
  ingest(core, `m${'x'.repeat(700)},host=h ${'f'.repeat(700)}=1 ${T0}`, 'all');
  expect(Object.keys(seen(core))).toEqual([name]);
  expect(seen(core)[name]?.example).toBe(name);
});
