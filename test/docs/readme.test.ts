import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/simulate/options.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const run = promisify(execFile);
const README = readFileSync('README.md', 'utf8');
const blocks = [...README.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);
const config = JSON.parse(readFileSync('configs/config.json', 'utf8')) as { main: { addr: string } };

/** Runs commands as a user who pastes them into a shell; returns what they print. */
async function paste(commands: string, cwd = '.'): Promise<string> {
  // The progress meter of curl goes to stderr, which a terminal shows and a test does not need.
  const { stdout } = await run('bash', ['-eu', '-c', commands], { cwd });
  return stdout;
}

/** The README's commands against a server on another port. */
const onPort = (commands: string, port: number): string => commands.replaceAll(/\b808[23]\b/g, String(port));

describe('README.md', () => {
  it('opens with how to start and how to test', () => {
    expect(README).toMatch(/^# .+\n\n```sh\nnpm ci && npm start .*http:\/\/localhost:8082\nnpm ci && npm test /);
    expect(config.main.addr).toBe('localhost:8082');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(scripts.start).toContain('-config configs/config.json');
  });

  describe('its commands, pasted', () => {
    let server: ServerProcess;
    beforeAll(async () => {
      const { main: _, ...rest } = config;
      server = await startServer(rest);
    });
    afterAll(async () => {
      await server.stop();
    });

    it('write and query', async () => {
      const [first = '', second = ''] = blocks.filter((text) => text.includes('localhost:8082/api'));
      const answers = (await paste(onPort(first + second, server.port))).trim().split('\n');
      expect(answers.length).toBe(2);
      const [cpuLoad, flops] = answers.map((line) => JSON.parse(line));
      expect(cpuLoad).toEqual({
        results: [
          [
            {
              data: [4.5],
              from: expect.any(Number),
              to: expect.any(Number),
              resolution: 60,
              avg: 4.5,
              min: 4.5,
              max: 4.5,
            },
          ],
        ],
      });
      // The answer that the page shows has the same form.
      const shown = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(README)?.[1] ?? '');
      const times = { from: 0, to: 60 };
      const without = (answer: { results: object[][] }): object => ({ ...answer.results[0]?.[0], ...times });
      expect(without(shown)).toEqual(without(cpuLoad));
      expect(shown.results[0][0].to - shown.results[0][0].from).toBe(60);
      expect(flops.results.map((list: { data: number[] }[]) => list.map(({ data }) => data))).toEqual([
        [[150.25]],
        [[100], [50.25]],
      ]);
    });

    it('simulate a cluster', () => {
      const [, flags = ''] = /`npm run simulate -- ([^`]+)`/.exec(README) ?? [];
      const options = parseOptions(flags.split(' '), 1e9);
      expect(options).toMatchObject({ shape: { nodes: 50 }, start: 1e9 - 4 * 3600 });
      expect('url' in options && options.url.href).toBe('http://localhost:8082/');
    });
  });

  it('its commands with a token, pasted, while the first server runs', async () => {
    const { main: _, ...rest } = config;
    const first = await startServer(rest);
    symlinkSync(resolve('configs'), join(first.dir, 'configs'));
    const [start = '', ask = ''] = blocks.filter((text) => /jwt\.json|\$JWT/.test(text));
    const launch = 'node dist/server.js -config var/jwt.json\n';
    expect(start.endsWith(launch)).toBe(true);
    await paste(start.slice(0, -launch.length), first.dir);
    const made = JSON.parse(readFileSync(join(first.dir, 'var/jwt.json'), 'utf8'));
    expect(made.main.addr).toBe('localhost:8083');
    const second = await startServer((port) => ({ ...made, main: { ...made.main, addr: `127.0.0.1:${port}` } }), {
      dir: first.dir,
    });
    try {
      expect((await fetch(`${second.url}/api/debug`)).status).toBe(401);
      expect(JSON.parse(await paste(onPort(ask, second.port)))).toMatchObject({ data: { alex: { a0603: {} } } });
    } finally {
      await second.stop();
      await first.stop();
    }
  });
});
