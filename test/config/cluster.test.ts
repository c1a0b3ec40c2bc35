/** The section `cluster`: its defaults, and what it needs of others. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';
import { partitionCount } from '../../src/config/topology.js';

const SECTION = { name: 'hpc', id: 'store1', advertise: 'http://127.0.0.1:8080/' };

function text(cluster: object, more: object = {}, store: object = {}): string {
  return JSON.stringify({
    main: {},
    metrics: { clock: { frequency: 60, aggregation: 'avg' } },
    nats: { address: 'nats://localhost' },
    cluster,
    ...more,
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 20, ...store },
  });
}

function problems(config: string): readonly string[] {
  try {
    parseConfig(config, 'c.json');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the section cluster', () => {
  it('has defaults, and says how many partitions there are', () => {
    const { config } = parseConfig(text(SECTION), 'c.json');
    expect(config.cluster).toEqual({
      name: 'hpc',
      id: 'store1',
      advertise: 'http://127.0.0.1:8080',
      partitions: 32,
      replicas: 2,
      streamReplicas: 3,
      streamMaxBytes: 2 ** 30,
      rebalanceAfterSeconds: 300,
      zone: '',
      weight: 1,
      readConsistency: 'session',
    });
    expect(partitionCount(config.store)).toBe(32);
  });

  it('needs its names, an address of NATS, and a secret beyond loopback', () => {
    expect(problems(text({}))).toHaveLength(3);
    expect(problems(text({ ...SECTION, name: 'a.b' })).join()).toContain('cluster.name: expected 1 to 32 of A-Z');
    expect(problems(text({ ...SECTION, advertise: 'store1:8080' })).join()).toContain('expected an http or https URL');
    expect(problems(text({ ...SECTION, 'stream-replicas': 2 })).join()).toContain('expected 1, 3 or 5');
    expect(problems(text({ ...SECTION, partitions: 2000 })).join()).toContain('from 1 to 1024');
    expect(problems(text(SECTION, { nats: {} })).join()).toContain('nats.address: missing');
    const outside = { ...SECTION, advertise: 'https://store1.example.org:8080' };
    expect(problems(text(outside)).join()).toContain('cluster.secret-file: missing');
    expect(problems(text({ ...outside, 'secret-file': '/etc/secret' }))).toEqual([]);
  });

  it('has no JSON checkpoints, no archive, and no stream that every store would read', () => {
    expect(problems(text(SECTION, {}, { checkpoints: { 'file-format': 'json' } })).join()).toContain('expected "wal"');
    const cleanup = { mode: 'archive', directory: 'x' };
    expect(problems(text(SECTION, {}, { cleanup })).join()).toContain('expected "delete" in a cluster');
    const subscriptions = (durable: object) => ({
      'nats-subscriptions': [{ 'subscribe-to': 'a', stream: 'S', ...durable }],
    });
    expect(problems(text(SECTION, {}, subscriptions({}))).join()).toContain('a durable that all stores');
    expect(problems(text(SECTION, {}, subscriptions({ durable: 'd' })))).toEqual([]);
  });
});
