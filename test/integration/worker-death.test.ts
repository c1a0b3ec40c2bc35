/** A worker that dies takes the process with it: no half-alive server. What was acknowledged is there after a restart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, query, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

/** Runs in every worker thread; dies once the file is there. */
const preload = (trigger: string, death: string): string => `
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (!isMainThread) {
  const timer = setInterval(() => {
    if (!existsSync(${JSON.stringify(trigger)})) return;
    clearInterval(timer);
    ${death}
  });
}`;

interface Written {
  acknowledged: number[];
  /** Answers other than 200. */
  refused: string[];
}

/** Writes samples of ten hosts one after the other until the server is gone. */
async function writeUntilGone(server: ServerProcess, first: number, done: Written): Promise<void> {
  for (let i = first; i < first + 100_000; i += 4) {
    const line = `cpu_load,cluster=c,hostname=h${i % 10},type=hwthread,type-id=${i} value=${i} ${TIME}`;
    try {
      const { status, body } = await write(server.port, line);
      if (status === 200) done.acknowledged.push(i);
      else done.refused.push(`${status} ${body}`);
    } catch {
      return;
    }
  }
}

describe('a worker that', () => {
  it.each([
    ['throws', `throw new Error('thrown on purpose');`, /shard worker \d died: thrown on purpose/],
    ['rejects', `void Promise.reject(new Error('rejected on purpose'));`, /shard worker \d died: rejected on purpose/],
    ['exits', 'process.exit(3);', /shard worker \d ended with code 3/],
    [
      'exhausts its heap',
      'const hoard = []; for (;;) hoard.push(new Array(10_000).fill({ a: 1 }));',
      /shard worker \d died: Worker terminated due to reaching memory limit/,
    ],
    [
      'traps in WebAssembly',
      `
    // (module (func (export "trap") unreachable))
    const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,8,1,4,116,114,97,112,0,0,10,5,1,3,0,0,11]);
    new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.trap();`,
      /shard worker \d died: unreachable/,
    ],
  ])(
    '%s ends the server with status 1 and one clear line; nothing that was acknowledged is lost',
    async (_, death, line) => {
      const dir = temporaryDirectory();
      const trigger = join(dir, 'die');
      writeFileSync(join(dir, 'preload.mjs'), preload(trigger, death));
      const setup = config({}, { 'num-workers': 2 });
      const dying = await startServer(setup, { dir, env: { NODE_OPTIONS: `--import ${join(dir, 'preload.mjs')}` } });
      const written: Written = { acknowledged: [], refused: [] };
      const writers = [0, 1, 2, 3].map((first) => writeUntilGone(dying, first, written));
      await expect.poll(() => written.acknowledged.length).toBeGreaterThan(100);
      writeFileSync(trigger, '');
      expect(await dying.exited).toBe(1);
      await Promise.all(writers);
      const told = dying
        .log()
        .split('\n')
        .filter((each) => /^<2>\[CRIT\]/.test(each));
      expect(told[0]).toMatch(
        /^<2>\[CRIT\] server: a part of the store is gone, so the server ends; what was acknowledged is in the log: /,
      );
      expect(told[0]).toMatch(line);

      const again = await startServer(setup, { dir });
      const queries = written.acknowledged.map((i) => ({
        metric: 'cpu_load',
        host: `h${i % 10}`,
        type: 'hwthread',
        'type-ids': [String(i)],
      }));
      const { results } = await query(again.port, { cluster: 'c', from: TIME, to: TIME + 60, queries });
      expect(results.map((series) => series[0]?.data?.[0])).toEqual(written.acknowledged);
      expect((await ask(again.port, '/healthz')).status).toBe(200);
      expect(await again.stop()).toBe(0);
    },
  );

  it('dies while the data is loaded, or cannot start, is told as well', async () => {
    const dir = temporaryDirectory();
    writeFileSync(
      join(dir, 'preload.mjs'),
      `import { isMainThread } from 'node:worker_threads'; if (!isMainThread) throw new Error('at the start');`,
    );
    const started = startServer(config(), { dir, env: { NODE_OPTIONS: `--import ${join(dir, 'preload.mjs')}` } });
    await expect(started).rejects.toThrow(/ended:[\s\S]*<2>\[CRIT\] server: .*at the start/);
  });
});
