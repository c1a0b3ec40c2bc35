import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { difference, type Step } from './golden/compare.js';
import { ask } from './support/client.js';
import { startServer } from './support/server-process.js';

interface Scenario {
  name: string;
  about: string;
  config: { main: Record<string, string> };
  steps: Step[];
}

const FOLDER = join(import.meta.dirname, 'golden');

describe('the comparison', () => {
  const results = (series: object): string => JSON.stringify({ results: [[series]] });
  const series = { data: [1, null, 3], from: 0, to: 180, resolution: 60, avg: 2, min: 1, max: 3 };
  const step = (expected: string): Step => ({
    method: 'GET',
    path: '/api/query',
    expect: { status: 200, body: expected },
  });
  const compare = (got: object): string | undefined => {
    const recorded = step(results(series));
    return difference(recorded, { status: 200, body: results(got) }, [recorded]);
  };

  it('takes what is close', () => {
    expect(compare({ ...series, data: [1.001, null, 2.999], avg: 2.01 })).toBeUndefined();
  });

  it('sees every other difference', () => {
    expect(compare({ ...series, data: [1.002, null, 3] })).toContain('data[0]');
    expect(compare({ ...series, data: [1, 0, 3] })).toContain('data[1]');
    expect(compare({ ...series, data: [1, null] })).toContain('2 samples');
    expect(compare({ ...series, to: 240 })).toContain('to = 240');
    expect(compare({ ...series, max: 3.02 })).toContain('max');
    expect(compare({ ...series, error: 'x' })).toContain('error');
    const tree = (text: string): Step => ({ ...step(text), path: '/api/debug' });
    const recorded = tree('{"data":{"a":{"m":[{"start":0,"end":60},{"start":60,"end":90},]}}}');
    const dump = (end: number) => `{"data":{"a":{"m":[{"start":0,"len":1,"end":${end}}]}}}`;
    expect(difference(recorded, { status: 200, body: dump(90) }, [])).toBeUndefined();
    expect(difference(recorded, { status: 200, body: dump(120) }, [])).toContain('120');
    expect(difference(step(''), { status: 400, body: '{}' }, [])).toContain('status 400');
  });
});

describe('recorded answers of the reference', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json.gz'))) {
    const scenario = JSON.parse(gunzipSync(readFileSync(join(FOLDER, file))).toString()) as Scenario;
    it(`${scenario.name}: ${scenario.steps.length} steps`, async () => {
      const { addr: _, ...main } = scenario.config.main;
      const server = await startServer({ ...scenario.config, main });
      const different: string[] = [];
      for (const [i, step] of scenario.steps.entries()) {
        const { method, path, headers, body } = step;
        const answer = await ask(server.port, path, { method, headers: headers ?? {}, body: body ?? '' });
        const why = difference(step, answer, scenario.steps);
        const because = step.ours ? ` (${step.ours.why})` : '';
        if (why) different.push(`step ${i} ${method} ${path} ${(body ?? '').slice(0, 140)}\n  ${why}${because}`);
      }
      expect(different.join('\n')).toBe('');
      expect(await server.stop()).toBe(0);
    });
  }
});
