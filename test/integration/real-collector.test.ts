/**
 * What a real cc-metric-collector sent in 17 minutes (test/data/real, recorded), posted as it came, must come back
 * sample by sample: at three decimals, and scaled so that the digits of large and of small values show.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, figure, query, summary, write } from '../support/client.js';
import { printDecimals } from '../support/exact-decimals.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const FOLDER = join(import.meta.dirname, '../data/real');
const LINE = /^(\w+)((?:,[\w-]+=[^,= ]+)+) value=(\S+) (\d+)$/;

interface Expected {
  metric: string;
  cluster: string;
  host: string;
  type: string;
  id: string;
  subtype: string;
  subId: string;
  frequency: number;
  first: number;
  /** The last value written to each bin. */
  bins: Map<number, number>;
}

interface Config {
  main: Record<string, unknown>;
  metrics: Record<string, { frequency: number }>;
}

const config = JSON.parse(readFileSync(join(FOLDER, 'config.json'), 'utf8')) as Config;
const lines = gunzipSync(readFileSync(join(FOLDER, 'collector.lp.gz')))
  .toString()
  .trimEnd()
  .split('\n');

/** Lines of one interval, as the collector sent them: neighbours with the same timestamp. */
function batches(): string[] {
  const list: string[][] = [];
  let time = '';
  for (const line of lines) {
    const own = line.slice(line.lastIndexOf(' ') + 1);
    if (own !== time) list.push([]);
    time = own;
    list.at(-1)?.push(line);
  }
  return list.map((batch) => `${batch.join('\n')}\n`);
}

/** What the lines say, by a parser that knows nothing of the server. */
function expected(): Map<string, Expected> {
  const series = new Map<string, Expected>();
  for (const line of lines) {
    const metric = line.slice(0, line.indexOf(','));
    const frequency = config.metrics[metric]?.frequency;
    if (frequency === undefined) continue;
    const found = LINE.exec(line);
    if (!found) throw new Error(`the test does not understand ${line}`);
    const [, , rest = '', text = '', time = ''] = found;
    const tags = new Map(
      rest
        .slice(1)
        .split(',')
        .map((tag): [string, string] => {
          const eq = tag.indexOf('=');
          return [tag.slice(0, eq), tag.slice(eq + 1)];
        }),
    );
    const cluster = tags.get('cluster') ?? '';
    const host = tags.get('hostname') ?? '';
    const type = tags.get('type') ?? 'node';
    const node = type === 'node';
    const id = node ? '' : (tags.get('type-id') ?? '');
    const subtype = node ? '' : (tags.get('stype') ?? '');
    const subId = node || !subtype ? '' : (tags.get('stype-id') ?? '');
    const key = [metric, cluster, host, type, id, subtype, subId].join('|');
    const t = Number(time);
    const one = series.get(key) ?? {
      metric,
      cluster,
      host,
      type,
      id,
      subtype,
      subId,
      frequency,
      first: t,
      bins: new Map<number, number>(),
    };
    series.set(key, one);
    const anchor = one.first - Math.floor(frequency / 2);
    one.bins.set(Math.floor((t - anchor) / frequency), Number(/^[^iu]+/.exec(text)?.[0]));
  }
  return series;
}

describe("a real collector's stream", () => {
  let server: ServerProcess;
  const series = expected();
  const samples = [...series.values()].reduce((n, one) => n + one.bins.size, 0);

  beforeAll(async () => {
    const { addr: _, ...main } = config.main;
    server = await startServer({ ...config, main });
    for (const batch of batches()) {
      const answer = await write(server.port, batch);
      expect(answer).toMatchObject({ status: 200, body: '' });
    }
  });
  afterAll(() => server?.stop('SIGKILL'));

  const check = async (scale: number): Promise<void> => {
    const all = [...series.values()];
    const from = Math.min(...all.map(({ first }) => first)) - 60;
    const answer = await query(server.port, {
      cluster: all[0]?.cluster,
      from,
      to: from + 3600,
      'with-padding': false,
      queries: all.map(({ metric, host, type, id, subtype, subId }) => ({
        metric,
        host,
        'scale-by': scale,
        ...(type !== 'node' && { type, 'type-ids': [id] }),
        ...(subtype && { subtype, 'subtype-ids': [subId] }),
      })),
    });
    for (const [i, one] of all.entries()) {
      const list = answer.results[i] ?? [];
      expect(list.length, JSON.stringify(one)).toBe(1);
      const last = Math.max(...one.bins.keys());
      const want = Array.from({ length: last + 1 }, (_, bin) => {
        const value = one.bins.get(bin);
        return value === undefined ? null : printDecimals(value * (scale || 1), 3);
      });
      expect({ ...list[0], data: undefined }).toMatchObject({ from: one.first, resolution: one.frequency });
      expect(list[0]?.data, `${one.metric} ${one.host} ${one.type}${one.id}`).toEqual(want);
      expect(list[0]?.to).toBe(one.first + (last + 1) * one.frequency);
    }
  };

  it('comes back as it was sent', () => check(0));
  it('keeps digits that three decimals do not show', () => check(2 ** 20));
  it('keeps the digits of large values', () => check(2 ** -10));

  it('is counted exactly', async () => {
    const counts = await summary(server.port, 'testcluster');
    expect(counts).toMatchObject({ hosts: 1, series: series.size, samples });
    const known = lines.filter((line) => config.metrics[line.slice(0, line.indexOf(','))]).length;
    expect(await figure(server.port, 'ccms_lines_total')).toBe(lines.length);
    expect(await figure(server.port, 'ccms_lines_skipped_total')).toBe(lines.length - known);
    expect(await figure(server.port, 'ccms_lines_refused_total')).toBe(0);
  });

  it('comes back after kill -9, and after an orderly stop', async () => {
    server = await server.restart('SIGKILL');
    await check(2 ** 20);
    server = await server.restart('SIGTERM');
    await check(2 ** 20);
    expect((await ask(server.port, '/healthz')).status).toBe(200);
  });
});
