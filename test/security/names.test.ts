/** Names that clients choose: they steer no file, break out of no tree, and reach no other host's series. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, query, write } from '../support/client.js';
import { temporaryDirectory } from '../support/directories.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

let server: ServerProcess;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be in a name
const BAD = /[/\\\0-\x1f\x7f]|\.\./;
/** Above the server's working directory, to see what lands beside it. */
const above = temporaryDirectory();

/** Every file and directory below a path, relative to it. */
const tree = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).sort();

async function hosts(): Promise<Record<string, string[]>> {
  const { data } = JSON.parse((await ask(server.port, '/api/debug')).body) as {
    data: Record<string, Record<string, unknown>>;
  };
  return Object.fromEntries(Object.entries(data).map(([cluster, below]) => [cluster, Object.keys(below).sort()]));
}

beforeAll(async () => {
  server = await startServer(config({}, { checkpoints: { directory: join(above, 'server/checkpoints') } }));
});
afterAll(() => server.stop());

const evil = ['..', '../../etc', '/etc/passwd', 'a/b', 'a\\b', '..\\..\\x', '....//', 'a/../../b', '/', '\\\\', 'a..b'];
const control = ['\x00', 'a\x00b', 'a\x1b[2Jb', 'a\tb', 'a\x7fb', 'a\rb', 'a\x01'];

describe('a name that is a path, or holds control characters', () => {
  it.each([...evil, ...control])('is refused everywhere: %j', async (name) => {
    const before = await hosts();
    const escaped = name.replace(/[\\ ,=]/g, '\\$&');
    const places = [
      `cpu_load,cluster=${escaped},hostname=h value=1 ${TIME}`,
      `cpu_load,cluster=c,hostname=${escaped} value=1 ${TIME}`,
      `cpu_load,cluster=c,host=${escaped} value=1 ${TIME}`,
      `cpu_load,cluster=c,hostname=h,type=${escaped},type-id=0 value=1 ${TIME}`,
      `cpu_load,cluster=c,hostname=h,type=hwthread,type-id=${escaped} value=1 ${TIME}`,
      `cpu_load,cluster=c,hostname=h,type=hwthread,type-id=0,stype=${escaped},stype-id=0 value=1 ${TIME}`,
      `cpu_load,cluster=c,hostname=h,type=hwthread,type-id=0,stype=x,stype-id=${escaped} value=1 ${TIME}`,
    ];
    for (const line of places) {
      const answer = await write(server.port, line);
      expect([line, answer.status]).toEqual([line, 400]);
      expect(JSON.parse(answer.body).error).toMatch(/^1 of 1 lines refused: line 1: /);
    }
    const inUrl = encodeURIComponent(name);
    for (const path of [`/api/write?cluster=${inUrl}`, `/api/v2/write?bucket=${inUrl}`, `/write?db=${inUrl}`]) {
      const { status } = await write(server.port, `cpu_load,hostname=h value=1 ${TIME}`, path);
      // InfluxDB's bucket may be "database/retention policy": what is before the slash is a good cluster.
      const isPolicy =
        !path.startsWith('/api/write') && !BAD.test(name.split('/', 1)[0] ?? '') && !name.startsWith('/');
      if (!isPolicy) expect([path, status]).toEqual([path, 400]);
    }
    const after = await hosts();
    for (const [cluster, names] of Object.entries(after)) {
      expect(cluster).not.toMatch(BAD);
      expect(names.join()).not.toMatch(BAD);
    }
    expect(after.c).toEqual(before.c);
  });

  it('finds nothing in a selector, a query, a health check, and frees nothing', async () => {
    for (const name of [...evil, ...control]) {
      const selector = encodeURIComponent(name);
      expect((await ask(server.port, `/api/debug?selector=${selector}`)).status).toBe(400);
      expect((await ask(server.port, `/api/debug?summary=1&selector=${selector}`)).status).toBe(400);
      const one = { metric: 'cpu_load', host: name, type: name, 'type-ids': [name] };
      const answer = await query(server.port, { cluster: name, from: TIME, to: TIME + 60, queries: [one] });
      expect(answer.results.flat()).toEqual([]);
      const health = JSON.stringify({ cluster: name, nodes: [name], 'metric-names': [name] });
      expect(JSON.parse((await ask(server.port, '/api/healthcheck', { body: health })).body)).toEqual({
        [name]: { State: 'failed', HealthMetrics: '' },
      });
      const free = JSON.stringify([[name], ['c', name], [name, name, name, name]]);
      expect((await ask(server.port, '/api/free?to=9999999999', { body: free })).body.trim()).toBe('buffers freed: 0');
    }
  });

  it('leaves no file outside the checkpoint directory, nor one that is named after a tag', async () => {
    await write(server.port, `cpu_load,cluster=tagged,hostname=nameofahost value=1 ${TIME}`);
    const stopped = await server.stop();
    expect(stopped).toBe(0);
    expect(readdirSync(above)).toEqual(['server']);
    expect(readdirSync(join(above, 'server'))).toEqual(['checkpoints']);
    expect(tree(join(above, 'server')).join()).not.toMatch(/etc|passwd|nameofahost|tagged/);
    expect(tree(server.dir)).toEqual(['config.json']);
    server = await server.restart();
    expect((await hosts()).tagged).toEqual(['nameofahost']);
  });
});

describe('a sample', () => {
  const value = async (cluster: string, host: string, more: object = {}): Promise<unknown> => {
    const queries = [{ metric: 'cpu_load', host, ...more }];
    const { results } = await query(server.port, { cluster, from: TIME, to: TIME + 60, queries });
    return results[0]?.map(({ data }) => data?.[0]);
  };

  it('is found under its own names only, however close others come', async () => {
    // Names that run together to the same text, differ in case, escapes, Unicode form, length or a last character.
    const names = [
      ['x1', 'ab'],
      ['x1a', 'b'],
      ['x1', 'AB'],
      ['x1', 'ab\u0301'],
      ['x1', 'a\u0301b'],
      ['x1', 'ab,hostname'],
      ['x1', 'ab hostname'],
      ['x1', 'ab=hostname'],
      ['x1', 'a:b'],
      ['x1:ab', 'ab'],
      ['x1', 'a'],
      ['x1', 'a'.repeat(200)],
      ['x1', `${'a'.repeat(199)}b`],
      ['x1', '__proto__'],
      ['__proto__', 'constructor'],
      ['constructor', 'toString'],
      ['x1', '"quoted"'],
      ['x1', "o'clock"],
      ['x1', '<script>'],
      ['x1', '%2e%2e%2f'],
      ['x1', 'hwthread0'],
      ['x1', '😀'],
    ] as const;
    const escapeName = (name: string): string => name.replace(/[ ,=\\]/g, '\\$&');
    const lines = names.map(
      ([cluster, host], i) =>
        `cpu_load,cluster=${escapeName(cluster)},hostname=${escapeName(host)} value=${i + 1} ${TIME}`,
    );
    expect((await write(server.port, lines.join('\n'))).status).toBe(200);
    for (const [i, [cluster, host]] of names.entries()) {
      expect([cluster, host, await value(cluster, host)]).toEqual([cluster, host, [i + 1]]);
    }
    server = await server.restart('SIGKILL');
    for (const [i, [cluster, host]] of names.entries()) {
      expect([cluster, host, await value(cluster, host)]).toEqual([cluster, host, [i + 1]]);
    }
  });

  it('cannot be moved to another host by a second tag, a tag inside a value, or a line within a line', async () => {
    await write(server.port, `cpu_load,cluster=y,hostname=victim value=1 ${TIME}`);
    await write(
      server.port,
      [
        `cpu_load,cluster=y,hostname=own,note=x\\,hostname\\=victim value=66 ${TIME}`,
        `cpu_load,cluster=y,hostname=own,note="a,hostname=own2 value=66 ${TIME}`,
        `cpu_load,cluster=y,hostname=own value="x\ncpu_load,cluster=y,hostname=own3 value=66 ${TIME}"`,
        `cpu_load\\,cluster=y\\,hostname=victim,cluster=y,hostname=own value=66 ${TIME}`,
        `cpu_load,cluster=y,hostname=own value=66 ${TIME} cpu_load,cluster=y,hostname=victim value=67 ${TIME}`,
      ].join('\n'),
    );
    expect(await value('y', 'victim')).toEqual([1]);
  });

  it('of another level is not taken for one of the same name at the node', async () => {
    // socket1 + core0 is not socket + 1core0, and "type=node" stays the node's own.
    const lines = [
      `cpu_load,cluster=z,hostname=n,type=socket,type-id=1,stype=core,stype-id=0 value=1 ${TIME}`,
      `cpu_load,cluster=z,hostname=n,type=socket1core,type-id=0 value=2 ${TIME}`,
      `cpu_load,cluster=z,hostname=n,type=socket,type-id=10 value=3 ${TIME}`,
      `cpu_load,cluster=z,hostname=n,type=node,stype=socket,stype-id=1 value=4 ${TIME}`,
    ];
    expect((await write(server.port, lines.join('\n'))).status).toBe(200);
    const sub = { type: 'socket', 'type-ids': ['1'], subtype: 'core', 'subtype-ids': ['0'] };
    expect(await value('z', 'n', sub)).toEqual([1]);
    expect(await value('z', 'n', { type: 'socket1core', 'type-ids': ['0'] })).toEqual([2]);
    expect(await value('z', 'n', { type: 'socket', 'type-ids': ['10'] })).toEqual([3]);
    expect(await value('z', 'n')).toEqual([4]);
  });
});
