import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import { checkConfig } from '../../src/ops/check-config.js';

const machine = { machineBytes: 64e9, cores: 8 };

function configOf(change: { main?: object; metrics?: object; store?: object } = {}) {
  const text = JSON.stringify({
    main: change.main ?? {},
    metrics: change.metrics ?? { clock: { frequency: 60, aggregation: 'avg' } },
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 1, ...change.store },
  });
  return parseConfig(text, 'c.json').config;
}

describe('checkConfig', () => {
  it('says what the configuration means', () => {
    const { text, warnings } = checkConfig(configOf(), machine);
    expect(warnings).toEqual([]);
    expect(text).toBe(`Address:     http://localhost:8080
Access:      anyone who reaches the port
Metrics:     1 (1 every 1m)
Retention:   2d in memory, then deleted
Checkpoints: wal in ./var/checkpoints, every 12h, log synced: every second
Workers:     1, partitions: 1
Memory cap:  none
Backend:     none, hosts of running jobs are not spared
NATS:        no

Memory at full retention, for 1000 hosts with 743 series each, spread evenly over the metrics:
  743,000 series, 2,139,840,000 samples: about 11.2 GB
  (5.0 bytes a sample: 5 for "double", 2 with 3 decimals;
  512 bytes a series; 150 MB for the process)
`);
  });

  it('weighs metrics by frequency and precision', () => {
    const metrics = {
      a: { frequency: 10, aggregation: null, precision: 3 },
      b: { frequency: 60, aggregation: null },
    };
    const { text } = checkConfig(configOf({ metrics }), { ...machine, hosts: 10, seriesPerHost: 100 });
    // 500 series of 17280 samples at 2 bytes, 500 of 2880 at 5.
    expect(text).toContain('1,000 series, 10,080,000 samples: about 175 MB\n  (2.4 bytes a sample');
    expect(text).toContain('Metrics:     2 (1 every 10s, 1 every 1m)');
  });

  it('warns of a cap below the estimate, and says how much will fit', () => {
    expect(checkConfig(configOf({ store: { 'memory-cap': 5 } }), machine).warnings).toEqual([
      'memory-cap (5.0 GB) is below that: about 21h22m of 2d will fit, older data is freed early',
    ]);
    expect(checkConfig(configOf({ store: { 'memory-cap': 12 } }), machine).warnings).toEqual([]);
    expect(checkConfig(configOf({ store: { 'memory-cap': 5 } }), { ...machine, hosts: 400 }).warnings).toEqual([]);
  });

  it.each([
    ['too little memory', {}, { machineBytes: 8e9 }, 'this machine has only 8.0 GB'],
    [
      'more workers than cores',
      { store: { 'num-workers': 4 } },
      { cores: 2 },
      'num-workers is 4, but this machine has only 2',
    ],
    ['an open port', { main: { addr: ':8080' } }, {}, 'without jwt-public-key'],
    [
      'tokens in the clear',
      { main: { addr: '0.0.0.0:80', 'jwt-public-key': 'kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=' } },
      {},
      'without https-cert-file',
    ],
    ['an unsynced log', { store: { 'wal-sync': 'off' } }, {}, 'power failure'],
    ['a backend without a token', { main: { 'backend-url': 'http://b' } }, {}, 'backend-url without backend-token'],
    [
      'a token file that is not there',
      { main: { 'backend-url': 'http://b', 'backend-token-file': '/nowhere/b.jwt' } },
      {},
      '/nowhere/b.jwt (main.backend-token-file): cannot read it: ENOENT',
    ],
    ['no metrics', { metrics: {} }, {}, 'every line will be skipped'],
  ])('warns of %s', (_name, change, assumptions, warning) => {
    const report = checkConfig(configOf(change), { ...machine, ...assumptions });
    expect(report.warnings).toEqual([expect.stringContaining(warning)]);
    expect(report.text).toContain(`Warning: ${report.warnings[0]}`);
  });
});

it('shows no credentials', () => {
  const nats = { address: 'nats://u:s3cret@a:4222,nats://u:s3cret@b', password: 's3cret' };
  const text = checkConfig({ ...configOf(), nats }, machine).text;
  expect(text).toContain('NATS:        nats://***@a:4222,nats://***@b, subjects: none');
  expect(text).not.toContain('s3cret');
  const backend = { 'backend-url': 'http://u:s3cret@b', 'backend-token': 's3cret' };
  const report = checkConfig(configOf({ main: backend }), machine);
  expect(report.warnings).toEqual([]);
  expect(report.text).toContain('Backend:     http://***@b, with a token\n');
  expect(report.text).not.toContain('s3cret');
});

describe('of a cluster', () => {
  const reportOf = (cluster: object, hosts: number) => {
    const text = JSON.stringify({
      main: {},
      metrics: { clock: { frequency: 60, aggregation: 'avg' } },
      nats: { address: 'nats://n1' },
      cluster: { name: 'hpc', id: 'a', advertise: 'http://127.0.0.1:8080', ...cluster },
      'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, 'num-workers': 1 },
    });
    return checkConfig(parseConfig(text, 'c.json').config, { ...machine, hosts });
  };

  it('says what partitions take, and how long streams hold what is written', () => {
    const { text, warnings } = reportOf({}, 1000);
    expect(warnings).toEqual([]);
    expect(
      text,
    ).toContain(`  In the cluster: about 347 MB a partition, 22.2 GB for all copies; of three stores each 7.4 GB
  Streams: about 4.2 GB an hour, of which some 15 minutes are kept; NATS sets 34.4 GB aside for each of their 3 copies, which hold 8h6m while a store is away
`);
  });

  it('warns of partitions that would not fit, and of streams that would soon be full', () => {
    expect(reportOf({ partitions: 2, 'stream-max-bytes': 2 ** 30 }, 1000).warnings).toEqual([
      expect.stringContaining('a partition would take 5.5 GB of its 4 GiB: raise cluster.partitions'),
      'the streams are full after 30m25s while a store is away, and writes are refused then: raise cluster.stream-max-bytes',
    ]);
  });
});
