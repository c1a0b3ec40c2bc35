/** Files that somebody has deleted, swapped or copied: nothing goes without a word, and what is there finds its partition. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { captureLog, configureLog, logger, logSettings } from '../../src/base/log.js';
import type { Config } from '../../src/config/config.js';
import { type OpenStore, openStore } from '../../src/open-store.js';
import { Pool } from '../../src/store/pool.js';
import { FrameField } from '../../src/wasm/tables/layouts.js';
import { textOf } from '../support/answer-text.js';
import { ask, figure, type Series, write } from '../support/client.js';
import { configWith } from '../support/config.js';
import { line, metric, seriesQuery } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/directories.js';
import { startServer } from '../support/server-process.js';

const HOUR_AGO = (Math.floor(Date.now() / 60_000) - 60) * 60;
const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);

let log: string[] = [];
beforeEach(() => {
  const before = logSettings();
  configureLog({ level: 'info' });
  const end = captureLog((text) => void log.push(text));
  onTestFinished(() => {
    end();
    configureLog(before);
  });
});
afterEach(() => {
  log = [];
});

/** A store of two partitions in this process, that was started on the files of a directory. */
class Started {
  readonly #pool: Pool;
  readonly #config: Config;
  #open: OpenStore | undefined;
  /** What the start logged. */
  log = '';

  private constructor(readonly dir: string) {
    const checkpoints: Config['store']['checkpoints'] = { fileFormat: 'wal', directory: dir, maxWalSize: 0 };
    this.#config = { ...configWith({ memoryCapBytes: 4e9, checkpoints }), metrics: new Map([['m', metric(60)]]) };
    this.#pool = new Pool({
      config: this.#config,
      log: logger('store'),
      modulePath: new URL('../../dist/core.wasm', import.meta.url),
      onFatal: (error) => expect.fail(error.message),
    });
  }

  static async at(dir = temporaryDirectory()): Promise<Started> {
    const started = new Started(dir);
    log = [];
    onTestFinished(() => started.stop().then(() => {}));
    started.#open = openStore(started.#config, started.#pool);
    await started.#open.ready;
    started.log = log.join('\n');
    return started;
  }

  /** Stores minute k of each host. */
  async put(...minutes: number[]): Promise<void> {
    const lines = HOSTS.flatMap((host, i) => minutes.map((k) => line('m', host, HOUR_AGO + 60 * k, 100 * i + k)));
    const text = new TextEncoder().encode(lines.join(''));
    expect(await this.#pool.write(text.slice().buffer, text.length, 'c', 's')).toMatchObject({ refused: 0 });
  }

  /** Hosts of which minutes are there, and which. */
  async stored(): Promise<Record<string, number[]>> {
    const queries = HOSTS.map((host) => seriesQuery({ metric: 'm', host }));
    const range = { cluster: 'c', from: HOUR_AGO, to: HOUR_AGO + 3600 };
    const parts = { withStats: false, withData: true, withPadding: true };
    const { results } = JSON.parse(await textOf(await this.#pool.query({ ...range, ...parts, queries }))) as {
      results: Series[][];
    };
    return Object.fromEntries(
      results.map(([entry], i) => [
        HOSTS[i] ?? '',
        (entry?.data ?? []).flatMap((value) => (value === null ? [] : [value - 100 * i])),
      ]),
    );
  }

  get missing(): readonly string[] {
    return this.#pool.missing;
  }

  async checkpoint(): Promise<void> {
    await this.#pool.checkpoint('interval');
  }

  async missingFiles(): Promise<number[]> {
    return (await this.#pool.stats()).map(({ missingFiles }) => missingFiles);
  }

  async stop(): Promise<string> {
    await this.#pool.stop();
    this.#open?.lock.release();
    this.#open = undefined;
    return this.dir;
  }

  /** The directory as a kill leaves it. */
  async kill(): Promise<string> {
    const copy = temporaryDirectory();
    cpSync(this.dir, copy, { recursive: true });
    await this.stop();
    return copy;
  }
}

const all = (...minutes: number[]): Record<string, number[]> =>
  Object.fromEntries(HOSTS.map((host) => [host, minutes]));

const partition = (dir: string, index: number): string => join(dir, `partition-${index}-of-2`);

function files(dir: string, index: number, kind: string): string[] {
  const directory = partition(dir, index);
  const names = readdirSync(directory).filter((name) => name.endsWith(kind));
  return names.sort().map((name) => join(directory, name));
}

describe('a log segment that is gone', () => {
  it('is missed by the one after it, with its time and its series', async () => {
    let dir: string | undefined;
    for (const minute of [0, 1, 2]) {
      const store = await Started.at(dir);
      await store.put(minute);
      dir = await store.kill();
    }
    const [, second] = files(dir ?? '', 0, '.log');
    rmSync(second ?? '');
    const store = await Started.at(dir);
    const said = /00000002\.log is missing: written from \S+Z to \S+Z, \d+ series, \d+ bytes/;
    expect(store.log).toMatch(new RegExp(`ERR.*partition-0-of-2: ${said.source}`));
    expect(store.missing).toEqual([expect.stringMatching(new RegExp(`^partition 0: ${said.source}$`))]);
    expect(await store.missingFiles()).toEqual([1, 0]);
    // What the others hold is there.
    const counts = new Set(Object.values(await store.stored()).map((minutes) => minutes.join()));
    expect(counts).toEqual(new Set(['0,2', '0,1,2']));
  });

  it('is missed by the manifest if it is the newest', async () => {
    let store = await Started.at();
    await store.put(0, 1, 2);
    await store.checkpoint();
    await store.put(3);
    const dir = await store.kill();
    const segments = files(dir, 1, '.log');
    for (const segment of segments) rmSync(segment);
    expect(segments.length).toBeGreaterThan(0);
    store = await Started.at(dir);
    expect(store.missing).toEqual([
      expect.stringMatching(/^partition 1: 0000000\d\.log is missing: written from \S+Z$/),
    ]);
    // The next ones have other numbers, and a checkpoint covers the gap.
    await store.put(10, 11, 12, 13);
    await store.checkpoint();
    store = await Started.at(await store.stop());
    expect(store.missing).toEqual([]);
    expect(store.log).not.toContain('missing');
  });

  it('its end is missed too', async () => {
    let store = await Started.at();
    await store.put(0, 1, 2);
    store = await Started.at(await store.kill());
    await store.put(3);
    const dir = await store.kill();
    const [first] = files(dir, 0, '.log');
    // The header is left.
    truncateSync(first ?? '', 60);
    store = await Started.at(dir);
    const said = /the end of 00000001\.log is missing: written .*, at most \d+ series, \d+ bytes/;
    expect(store.missing).toEqual([expect.stringMatching(said)]);
  });
});

it('a checkpoint file that is gone is missed, in the log, in /healthz and in /metrics', async () => {
  let server = await startServer({
    metrics: { m: { frequency: 60, aggregation: null } },
    'metric-store': { 'retention-in-memory': '24h', 'memory-cap': 4, 'num-workers': 1 },
  });
  const lines = HOSTS.map((host) => line('m', host, HOUR_AGO, 1));
  expect((await write(server.port, lines.join(''))).status).toBe(200);
  await server.stop('SIGTERM');
  for (const file of files(join(server.dir, 'var/checkpoints'), 0, '.blocks')) rmSync(file);
  server = await server.restart();
  const said = /00000001\.blocks is missing: samples from \S+Z to \S+Z, \d+ series, \d+ bytes/;
  expect(server.log()).toMatch(new RegExp(`ERR.*partition-0-of-2: ${said.source}`));
  const health = await ask(server.port, '/healthz');
  expect(health.status).toBe(200);
  expect(JSON.parse(health.body).missing).toMatch(new RegExp(`^partition 0: ${said.source}$`));
  expect(await figure(server.port, 'ccms_missing_files{partition="0"}')).toBe(1);
  expect(await figure(server.port, 'ccms_missing_files{partition="1"}')).toBe(0);
  await server.stop('SIGKILL');
});

it('the end of a checkpoint file is missed', async () => {
  let store = await Started.at();
  await store.put(0, 1, 2);
  const dir = await store.stop();
  const [file = ''] = files(dir, 0, '.blocks');
  truncateSync(file, 60);
  store = await Started.at(dir);
  expect(store.missing).toEqual([
    expect.stringMatching(
      /^partition 0: the end of \d{8}\.blocks is missing: samples from \S+Z to \S+Z, at most \d+ series, \d+ bytes$/,
    ),
  ]);
});

describe('files in a directory of another partition', () => {
  it.each([
    ['checkpoint files', '.blocks', 'stop'],
    ['log segments', '.log', 'kill'],
    ['whole directories', '', 'stop'],
  ] as const)('%s that were swapped are moved back', async (_, kind, end) => {
    let store = await Started.at();
    await store.put(0, 1, 2);
    const dir = await store[end]();
    const swap = (a: string, b: string): void => {
      renameSync(a, `${a}.x`);
      renameSync(b, a);
      renameSync(`${a}.x`, b);
    };
    if (kind) swap(files(dir, 0, kind)[0] ?? '', files(dir, 1, kind)[0] ?? '');
    else swap(partition(dir, 0), partition(dir, 1));
    store = await Started.at(dir);
    expect(await store.stored()).toEqual(all(0, 1, 2));
    expect(store.missing).toEqual([]);
    expect(store.log).toMatch(/ERR.*is of partition 1 of 2; moved back/);
    store = await Started.at(await store.stop());
    expect(await store.stored()).toEqual(all(0, 1, 2));
    expect(store.log).not.toMatch(/ERR|WARN/);
  });

  it.each([
    ['checkpoint file', '.blocks', '00000077.blocks', 'stop'],
    ['log segment', '.log', '00000077.log', 'kill'],
  ] as const)(
    'a %s that does not say whose it is is loaded where its hosts are by the next start',
    async (_, kind, name, end) => {
      let store = await Started.at();
      await store.put(0, 1, 2);
      const dir = await store[end]();
      const [original = ''] = files(dir, 1, kind);
      const whole = readFileSync(original);
      const header = FrameField.Payload + whole.readUInt32LE(FrameField.Length);
      // As an older version wrote it: without the frame that names the partition.
      writeFileSync(join(partition(dir, 0), name), whole.subarray(header));
      rmSync(original);
      // Of the checkpoint files that are not named only those count that are there without a manifest.
      for (const index of [0, 1]) rmSync(join(partition(dir, index), 'manifest.json'), { force: true });
      store = await Started.at(dir);
      expect(store.log).toMatch(
        /ERR.*00000077.*: holds \d+ series of other partitions, which the next start will load/,
      );
      expect(Object.values(await store.stored()).some((minutes) => minutes.length === 0)).toBe(true);
      store = await Started.at(await store.kill());
      expect(store.log).toMatch(/WARN.*00000077.*\.foreign: its samples go to their partitions/);
      expect(await store.stored()).toEqual(all(0, 1, 2));
      store = await Started.at(await store.kill());
      expect(await store.stored()).toEqual(all(0, 1, 2));
      expect(store.log).not.toMatch(/ERR|foreign/);
    },
  );

  it.each([
    ['checkpoint file', '.blocks', '00000077.blocks', 'stop'],
    ['log segment', '.log', '00000077.log', 'kill'],
  ] as const)('a copied %s is loaded where its hosts are', async (_, kind, name, end) => {
    let store = await Started.at();
    await store.put(0, 1, 2);
    const dir = await store[end]();
    const [original = ''] = files(dir, 1, kind);
    copyFileSync(original, join(partition(dir, 0), name));
    // Only the copy has the samples.
    truncateSync(original, 60);
    store = await Started.at(dir);
    expect(await store.stored()).toEqual(all(0, 1, 2));
    expect(existsSync(join(dir, 'partition-0-of-0'))).toBe(false);
    store = await Started.at(await store.kill());
    expect(await store.stored()).toEqual(all(0, 1, 2));
  });
});
