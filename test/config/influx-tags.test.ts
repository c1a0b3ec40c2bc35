import { describe, expect, it } from 'vitest';
import { tagProblems, tagRules } from '../../src/config/influx-tags.js';
import { parseConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';

const configWith = (tags: unknown) =>
  JSON.stringify({
    main: {},
    metrics: {},
    'metric-store': { 'retention-in-memory': '1h', 'memory-cap': 0 },
    influx: { tags },
  });

function problems(tags: unknown): readonly string[] {
  try {
    parseConfig(configWith(tags), 'c.json');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('influx.tags', () => {
  it('comes before the defaults, and replaces those of its name', () => {
    const rules = parseConfig(configWith({ gpu: { cut: 'gpu' }, path: null }), 'c.json').config.tagRules;
    expect(rules.slice(0, 3)).toEqual([
      { tag: 'gpu', type: 'gpu', cut: 'gpu', node: '', unless: [] },
      { tag: 'path', type: '', cut: '', node: '', unless: [] },
      { tag: 'cpu', type: 'hwthread', cut: 'cpu', node: 'cpu-total', unless: [] },
    ]);
    expect(rules.filter(({ tag }) => tag === 'path')).toHaveLength(1);
    expect(rules).toHaveLength(tagRules().length + 1);
  });

  it('needs no change by default', () => {
    expect(tagProblems({})).toEqual([]);
  });

  it('is refused with the place of each mistake', () => {
    const found = problems({
      host: null,
      a: { type: 'x/y' },
      b: { unless: ['c'] },
      d: { cut: 'x'.repeat(101) },
    });
    expect(found).toEqual([
      expect.stringMatching(/^c\.json:1:\d+: influx\.tags\.host: is a tag of ClusterCockpit's protocol/),
      expect.stringMatching(/influx\.tags\.a\.type: expected text without/),
      expect.stringMatching(/influx\.tags\.b\.unless: names "c", which has no rule/),
      expect.stringMatching(/influx\.tags\.d: expected names of at most 100 bytes/),
    ]);
    expect(problems({ a: { typ: 'x' } })).toEqual([
      expect.stringMatching(/influx\.tags\.a\.typ: unknown key; known here: type, cut/),
    ]);
    expect(problems({ a: 1 })).toEqual([expect.stringMatching(/influx\.tags\.a: expected .*, found/)]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`t${i}`, null]));
    expect(problems(many)).toEqual([
      expect.stringMatching(/influx\.tags: expected at most 64 tags with the defaults, found/),
    ]);
  });
});
