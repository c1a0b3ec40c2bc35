/** Damaged files through whole starts of the real server, with the same number of partitions and with another one. */
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';
import { seeded } from '../support/random.js';
import { startServer } from '../support/server-process.js';
import { Ledger, Source } from './ledger.js';

const METRICS = ['m0', 'm1'];

function config(cap: number): object {
  return {
    metrics: Object.fromEntries(METRICS.map((name) => [name, { frequency: 10, aggregation: null }])),
    'metric-store': {
      'retention-in-memory': '720h',
      'memory-cap': cap,
      'num-workers': 2,
      checkpoints: { directory: './checkpoints' },
    },
  };
}

/** Three partitions with checkpoint files and logs, each with one damaged file. */
async function damaged(): Promise<{ dir: string; ledger: Ledger; files: string[] }> {
  const dir = temporaryDirectory();
  const ledger = new Ledger();
  const hosts = Array.from({ length: 12 }, (_, h) => `h${h}`);
  const source = new Source(hosts, METRICS, Math.floor(Date.now() / 1000) - 86_400, seeded(21));
  let server = await startServer(config(8), { dir });
  for (let i = 0; i < 5; i++) expect(await ledger.write(server.port, source.next(50))).toBe(200);
  server = await server.restart('SIGTERM');
  for (let i = 0; i < 5; i++) expect(await ledger.write(server.port, source.next(50))).toBe(200);
  await server.stop('SIGKILL');
  const path = (partition: number, pattern: RegExp): string => {
    const directory = join(dir, `checkpoints/partition-${partition}-of-3`);
    const name = readdirSync(directory).find((entry) => pattern.test(entry));
    if (name === undefined) throw new Error(`no ${pattern} in ${directory}`);
    return join(directory, name);
  };
  const blocks = path(0, /\.blocks$/);
  const bytes = readFileSync(blocks);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
  writeFileSync(blocks, bytes);
  const log = path(1, /\.log$/);
  writeFileSync(log, Buffer.concat([readFileSync(log), Buffer.alloc(100, 7), readFileSync(log).subarray(0, 50)]));
  const manifest = path(2, /^manifest\.json$/);
  truncateSync(manifest, 30);
  return { dir, ledger, files: [blocks, log, manifest] };
}

describe('a start that finds damage in each partition', () => {
  it.each([
    ['of its own', 8],
    ['of another number of partitions', 4],
  ])('%s goes on with what is whole', async (_, cap) => {
    const { dir, ledger, files } = await damaged();
    let server = await startServer(config(cap), { dir });
    const text = server.log();
    for (const file of files) expect(text).toMatch(new RegExp(`ERR.*${file.slice(dir.length + 1)}`));
    const before = await ledger.compare(server.port, { settle: true });
    expect(before.changed).toEqual([]);
    // One frame of one checkpoint file, nothing of the other two partitions.
    expect(before.lost.length).toBeLessThan(before.compared / 2);
    const hosts = new Set(before.lost.map((sample) => sample.split(' ')[0]));
    expect(hosts.size).toBeLessThan(8);
    const kept = cap === 8 ? files.map((file) => `${file}.corrupt`) : [];
    for (const path of kept) expect(existsSync(path), path).toBe(true);
    if (cap !== 8) {
      expect(readdirSync(join(dir, 'checkpoints')).filter((name) => name.includes('of-3'))).toEqual([]);
      const copies = readdirSync(join(dir, 'checkpoints/superseded'));
      expect(copies.filter((name) => name.endsWith('.corrupt')).length).toBeGreaterThanOrEqual(2);
    }
    // The next start has nothing to say, and the same answers.
    server = await server.restart('SIGKILL');
    expect(server.log()).not.toMatch(/ERR|WARN/);
    const { lost, changed } = await ledger.compare(server.port);
    expect({ lost, changed }).toEqual({ lost: [], changed: [] });
    await server.stop('SIGKILL');
  });
});
