/** The command lines of the reference's documentation, as they stand there, with its test key and token. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServer } from '../support/server-process.js';

const KEY = 'kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=';
const JWT =
  'eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJ1c2VyIjoiYWRtaW4iLCJyb2xlcyI6WyJST0xFX0FETUlOIiwiUk9MRV9BTkFMWVNUIiwiUk9MRV9VU0VSIl19.d-3_3FZTsadPjDEdsWrrQ7nS0edMAR4zjl-eK7rJU3HziNBfI9PDHDIpJVHTNN5E5SlLGLFXctWyKAkwhXL-Dw';

const hasCurl = spawnSync('curl', ['--version']).status === 0;

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({
    main: { 'jwt-public-key': KEY },
    metrics: {
      cpu_load: { frequency: 60, aggregation: null },
      flops_any: { frequency: 60, aggregation: 'sum' },
    },
    'metric-store': { 'retention-in-memory': '876000h', 'memory-cap': 1 },
  });
});
afterAll(() => server?.stop('SIGKILL'));

/** Runs the text as a shell does; the port of the documentation becomes the server's. */
function paste(text: string): string {
  const script = text.replaceAll('localhost:8082', `127.0.0.1:${server.port}`);
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `JWT="${JWT}"\n${script}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

// A machine without curl has nothing to paste into.
describe.skipIf(!hasCurl)('with curl', () => {
  it('writes with a time in nanoseconds', () => {
    const answer = paste(`curl -s -w '%{http_code}' -X 'POST' 'http://localhost:8082/api/write/?cluster=alex' \\
      -H 'Authorization: Bearer '$JWT \\
      -d $'cpu_load,hostname=a0124,type=node value=1.5 1720879275000000000
flops_any,hostname=a0124,type=hwthread,type-id=0 value=3 1720879275000000000
flops_any,hostname=a0124,type=hwthread,type-id=1 value=4 1720879275000000000'`);
    expect(answer).toBe('200');
  });

  it('asks with GET and a body', () => {
    const answer = paste(`curl -s -X 'GET' 'http://localhost:8082/api/query/' -H "Authorization: Bearer $JWT" \\
      -d '{ "cluster": "alex", "from": 1720879275, "to": 1720964715, "queries": [{"metric": "cpu_load","host": "a0124"},
      {"metric": "flops_any","host": "a0124","type": "hwthread","type-ids": ["0","1"],"aggreg": true}] }'`);
    expect(JSON.parse(answer)).toEqual({
      results: [
        [{ data: [1.5], from: 1720879275, to: 1720879335, resolution: 60, avg: 1.5, min: 1.5, max: 1.5 }],
        [{ data: [7], from: 1720879275, to: 1720879335, resolution: 60, avg: 7, min: 7, max: 7 }],
      ],
    });
  });

  it('frees, dumps and asks for health', () => {
    const dump = paste(
      `curl -s 'http://localhost:8082/api/debug/?selector=alex:a0124' -H "Authorization: Bearer $JWT"`,
    );
    expect(Object.keys((JSON.parse(dump) as { data: object }).data).sort()).toEqual([
      'cpu_load',
      'hwthread0',
      'hwthread1',
    ]);
    const health = paste(`curl -s -X GET 'http://localhost:8082/api/healthcheck/' -H "Authorization: Bearer $JWT" \\
      -d '{"cluster": "alex", "nodes": ["a0124"], "metric-names": ["cpu_load"]}'`);
    expect(JSON.parse(health)).toMatchObject({ a0124: { State: 'failed' } });
    const freed =
      paste(`curl -s -X POST 'http://localhost:8082/api/free/?to=1720964715' -H "Authorization: Bearer $JWT" \\
      -d '[["alex", "a0124"]]'`);
    expect(freed.trim()).toBe('buffers freed: 3');
  });

  it('is refused without the token', () => {
    const answer = paste(
      `curl -s -w '%{http_code}' 'http://localhost:8082/api/write/?cluster=alex' -d 'cpu_load,hostname=x value=1'`,
    );
    expect(answer).toMatch(/"status":"Unauthorized".*401$/s);
  });
});
