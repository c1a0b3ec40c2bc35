/** docs/api.md, run: its examples answer what the page says, and its table has the server's routes. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, write } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const ROOT = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
let server: ServerProcess;

beforeAll(async () => {
  const { metrics, ...config } = JSON.parse(readFileSync(join(ROOT, 'configs/config.json'), 'utf8')) as Record<
    string,
    object
  >;
  server = await startServer((port) => ({ ...config, metrics, main: { addr: `127.0.0.1:${port}` } }), {
    args: ['-dev'],
  });
});
afterAll(() => server.stop());

/** Runs an example; its output. */
function run(part: string): string {
  const found = examples.filter((code) => code.includes(part));
  expect(found).toHaveLength(1);
  const code = (found[0] ?? '').replaceAll('localhost:8082', `127.0.0.1:${server.port}`);
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-euc', code.replaceAll('curl ', 'curl --silent --show-error --fail-with-body ')],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

describe('docs/api.md', () => {
  it('has a write, a query and a health check that work as pasted', async () => {
    expect(run('/api/write?cluster=alex')).toBe('');
    await write(server.port, 'flops_any,cluster=alex,hostname=a0603,type=hwthread,type-id=0 value=2.25');
    const { results } = JSON.parse(run('/api/query')) as { results: { data: (number | null)[] }[][] };
    expect(results[0]?.[0]?.data).toContain(3.75);
    const [, health = ''] = /^```json\n(\{ "a0603".*)\n```$/m.exec(page) ?? [];
    expect(JSON.parse(run('/api/healthcheck'))).toEqual(JSON.parse(health));
    expect(examples).toHaveLength(3);
  });

  it('lists every route with its methods', async () => {
    const document = JSON.parse((await ask(server.port, '/swagger/doc.json')).body) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const listed = new Map<string, string>();
    for (const [, routes = '', methods = ''] of page.matchAll(/^\| (`\/[^|]*`) +\| ([A-Z, ]+?) +\| (?:yes|no) /gm)) {
      for (const [, route = ''] of routes.matchAll(/`([^`]+)`/g)) listed.set(route, methods);
    }
    const served = Object.entries(document.paths)
      .filter(([path]) => !path.startsWith('/swagger'))
      .map(([path, methods]) => [
        path,
        Object.keys(methods)
          .map((method) => method.toUpperCase())
          .sort()
          .join(', '),
      ]);
    expect(Object.fromEntries([...listed].sort())).toEqual(Object.fromEntries(served.sort()));
  });

  it('describes the errors as they are', async () => {
    await expect(ask(server.port, '/nowhere')).resolves.toMatchObject({ status: 404 });
    const wrong = await ask(server.port, '/api/query', { body: '{"queries": [{}, {"type-ids": [0]}]}' });
    expect([wrong.status, JSON.parse(wrong.body).error]).toEqual([
      400,
      'queries[1].type-ids[0]: expected a string, got 0',
    ]);
    const free = await ask(server.port, '/api/free?to=0', { body: '[[]]' });
    expect(free.body.trim()).toBe('buffers freed: 0');
    const method = await ask(server.port, '/api/write');
    expect([method.status, method.headers.allow]).toEqual([405, 'POST']);
    const lines =
      'flops_any,cluster=alex value=1\nflops_any,cluster=alex,hostname=a value=x\nflops_any,cluster=alex,hostname=a value=1';
    const refused = JSON.parse((await write(server.port, lines)).body) as { status: string; error: string };
    const shown = JSON.parse(/^\{\n {2}"status": "Bad Request"[\s\S]*?^\}$/m.exec(page)?.[0] ?? '{}') as typeof refused;
    const localised = { 'of 743': 'of 3', 'line 3': 'line 1', 'line 9': 'line 2' };
    const expected = Object.entries(localised).reduce((text, [from, to]) => text.replace(from, to), shown.error);
    expect(refused).toEqual({ status: 'Bad Request', error: expected });
    const influx = await write(server.port, lines, '/api/v2/write?bucket=c&precision=s');
    expect(JSON.parse(influx.body)).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^partial write: 2 lines refused/),
    });
    const health = await ask(server.port, '/healthz');
    expect(JSON.parse(health.body)).toMatchObject({ status: 'OK', state: 'ready' });
  });
});
