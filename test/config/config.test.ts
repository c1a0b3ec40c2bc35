import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { describe, expect, it } from 'vitest';
import { tagRules } from '../../src/config/influx-tags.js';
import { loadConfig, parseConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';
import { configSchema } from '../../src/config/schema.js';
import { temporaryDirectory } from '../support/directories.js';

const minimal = {
  main: {},
  metrics: { clock: { frequency: 60, aggregation: 'avg' } },
  'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 2 },
};
/** The minimal configuration with members replaced: `{main: {...}}` replaces sections, merged one level deep. */
function withSections(change: Record<string, Record<string, unknown>>): string {
  const sections: Record<string, Record<string, unknown>> = structuredClone(minimal);
  for (const [name, members] of Object.entries(change)) sections[name] = { ...sections[name], ...members };
  return JSON.stringify(sections);
}
const load = (change: Record<string, Record<string, unknown>>) => parseConfig(withSections(change), 'c.json');
function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'c.json');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
const problems = (change: Record<string, Record<string, unknown>>) => problemsOf(withSections(change));

describe('defaults', () => {
  it('fills in everything that is left out', () => {
    const { config, warnings } = load({});
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      main: { host: 'localhost', port: 8080 },
      metrics: new Map([['clock', { frequency: 60, aggregation: 'avg', precision: 'double' }]]),
      store: {
        retentionSeconds: 48 * 3600,
        futureLimitSeconds: 600,
        memoryCapBytes: 2e9,
        checkpoints: { fileFormat: 'wal', directory: './var/checkpoints' },
        checkpointIntervalSeconds: 12 * 3600,
        numWorkers: Math.max(1, availableParallelism() - 1),
        cleanup: { mode: 'delete' },
        natsSubscriptions: [],
        walSync: 'interval',
        maxBodySize: 64 * 1024 * 1024,
      },
      promql: {
        lookbackSeconds: 300,
        lookbackAdapts: true,
        timeoutSeconds: 120,
        maxSamples: 50_000_000,
        maxQueries: 20,
        maxMemoryBytes: 256 * 1024 * 1024,
      },
      tagRules: tagRules(),
    });
  });

  it('takes every key', () => {
    const { config, warnings } = load({
      main: {
        addr: '[::1]:8443',
        'https-cert-file': 'c.pem',
        'https-key-file': 'k.pem',
        'jwt-public-key': 'kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=',
        user: 'u',
        group: 'g',
        'backend-url': 'https://backend/base/',
        'backend-token': 'a.b.c',
        debug: { 'dump-to-file': 'd.json', gops: false },
      },
      metrics: {
        a: { frequency: 1, aggregation: 'sum', precision: 3, unit: 'GB/s' },
        b: { frequency: 5, aggregation: null, precision: 'single' },
      },
      'metric-store': {
        checkpoints: { 'file-format': 'json', directory: 'x', 'max-wal-size': 5 },
        'checkpoint-interval': '1h30m',
        'num-workers': 0,
        cleanup: { mode: 'archive', directory: 'a' },
        'nats-subscriptions': [
          { 'subscribe-to': 's' },
          { 'subscribe-to': 't', 'cluster-tag': 'c', stream: 'S', durable: 'D' },
        ],
        'future-limit': '1h30m',
        'wal-sync': 'always',
        'max-body-size': 1000,
      },
      nats: { address: 'nats://n', username: 'u', password: 'p', 'creds-file': 'cf', 'nkey-file': 'nf' },
      promql: {
        'lookback-delta': '90s',
        timeout: '30s',
        'max-samples': 1000,
        'max-queries': 3,
        'max-memory': 2,
      },
    });
    expect(warnings).toEqual([]);
    expect(config.main).toEqual({
      host: '::1',
      port: 8443,
      tls: { certFile: 'c.pem', keyFile: 'k.pem' },
      jwtPublicKey: new Uint8Array(Buffer.from('kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'base64')),
      user: 'u',
      group: 'g',
      backendUrl: 'https://backend/base',
      backendToken: 'a.b.c',
      dumpToFile: 'd.json',
    });
    expect([...config.metrics]).toEqual([
      ['clock', { frequency: 60, aggregation: 'avg', precision: 'double' }],
      ['a', { frequency: 1, aggregation: 'sum', precision: 3, unit: 'GB/s' }],
      ['b', { frequency: 5, aggregation: null, precision: 'single' }],
    ]);
    expect(config.store).toMatchObject({
      checkpoints: { fileFormat: 'json', directory: 'x', maxWalSize: 5 },
      checkpointIntervalSeconds: 5400,
      numWorkers: 0,
      cleanup: { mode: 'archive', directory: 'a' },
      natsSubscriptions: [
        { subject: 's', clusterTag: '' },
        { subject: 't', clusterTag: 'c', stream: 'S', durable: 'D' },
      ],
      futureLimitSeconds: 5400,
      walSync: 'always',
      maxBodySize: 1000,
    });
    expect(config.promql).toEqual({
      lookbackSeconds: 90,
      lookbackAdapts: false,
      timeoutSeconds: 30,
      maxSamples: 1000,
      maxQueries: 3,
      maxMemoryBytes: 2 * 1024 * 1024,
    });
    expect(config.nats).toEqual({ address: 'nats://n', username: 'u', password: 'p', credsFile: 'cf', nkeyFile: 'nf' });
  });

  it('listens on all interfaces for an address without a host', () => {
    expect(load({ main: { addr: ':8080' } }).config.main).toMatchObject({ host: '', port: 8080 });
  });
});

describe('what is refused', () => {
  it('tells all problems at once, in the order of the file, with line, column, key, expected and found', () => {
    const text = `{
  "main": {"addr": "localhost", "foo": 1, "bar": 2},
  "metrics": {"clock": {"frequency": "60", "aggregation": "max"}, "b c": {"frequency": 1, "color": "x"}},
  "metric-store": {"retention-in-memory": "2d", "nats-subscriptions": [{"subscribe-to": "x"}, {"subject": "y"}]}
}`;
    const known =
      'known here: addr, https-cert-file, https-key-file, jwt-public-key, log-level, user, group, backend-url, backend-token, backend-token-file, debug';
    expect(problemsOf(text)).toEqual([
      'c.json:2:12: main.addr: expected "host:port", ":port" or "[IPv6]:port", found "localhost"',
      `c.json:2:33: main.foo: unknown key; ${known}`,
      `c.json:2:43: main.bar: unknown key; ${known}`,
      'c.json:3:25: metrics.clock.frequency: expected a whole number of seconds > 0, found "60"',
      'c.json:3:44: metrics.clock.aggregation: expected "sum", "avg" or null, found "max"',
      expect.stringMatching(/^c\.json:3:67: metrics\["b c"\]\.aggregation: required, but missing \(.+\)$/),
      'c.json:3:91: metrics["b c"].color: unknown key; known here: frequency, aggregation, precision, unit',
      expect.stringMatching(/^c\.json:4:3: metric-store\.memory-cap: required, but missing \(.+\)$/),
      'c.json:4:20: metric-store.retention-in-memory: expected a duration such as "48h" or "1h30m", found "2d"',
      expect.stringMatching(
        /^c\.json:4:95: metric-store\.nats-subscriptions\[1\]\.subscribe-to: required, but missing \(.+\)$/,
      ),
      expect.stringMatching(
        /^c\.json:4:96: metric-store\.nats-subscriptions\[1\]\.subject: unknown key; known here: subscribe-to/,
      ),
    ]);
  });

  it.each([
    ['a port that does not exist', { main: { addr: 'h:65536' } }, 'main.addr'],
    ['a URL as address', { main: { addr: 'http://localhost:8080' } }, 'main.addr'],
    ['a certificate without key', { main: { 'https-cert-file': 'c' } }, 'main.https-key-file'],
    ['a key without certificate', { main: { 'https-key-file': 'c' } }, 'main.https-cert-file'],
    ['a backend-url that is none', { main: { 'backend-url': 'ftp://x' } }, 'main.backend-url'],
    [
      'an archive without directory',
      { 'metric-store': { cleanup: { mode: 'archive' } } },
      'metric-store.cleanup.directory',
    ],
    ['a fraction of a worker', { 'metric-store': { 'num-workers': 1.5 } }, 'metric-store.num-workers'],
    ['an unknown wal-sync', { 'metric-store': { 'wal-sync': 'never' } }, 'metric-store.wal-sync'],
    ['a body size of zero', { 'metric-store': { 'max-body-size': 0 } }, 'metric-store.max-body-size'],
    [
      'a checkpoint interval of zero',
      { 'metric-store': { 'checkpoint-interval': '0s' } },
      'metric-store.checkpoint-interval',
    ],
    [
      'too many decimals',
      { metrics: { a: { frequency: 1, aggregation: null, precision: 10 } } },
      'metrics.a.precision',
    ],
    ['half a decimal', { metrics: { a: { frequency: 1, aggregation: null, precision: 0.5 } } }, 'metrics.a.precision'],
    ['a negative frequency', { metrics: { a: { frequency: -1, aggregation: null } } }, 'metrics.a.frequency'],
    [
      'a frequency beyond 32 bits',
      { metrics: { a: { frequency: 2 ** 31, aggregation: null } } },
      'metrics.a.frequency',
    ],
  ])('refuses %s', (_name, change, path) => {
    expect(problems(change)).toEqual([expect.stringContaining(` ${path}: `)]);
  });

  it.each([
    ['AAAA', 'this is 3 bytes'],
    ['!!!', 'this is not base64'],
    ['kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0', 'without its "="'],
    ['kzfYrYy-TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'base64url'],
    ['MCowBQYDK2VwAyEAkzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=', 'its last 32 bytes are the raw key'],
    ['-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----', 'a PEM file'],
  ])('says what is wrong with the key %j', (key, reason) => {
    expect(problems({ main: { 'jwt-public-key': key } })).toEqual([expect.stringContaining(reason)]);
  });

  it('refuses keys that reach into prototypes, as keys, metrics and sections', () => {
    const text = `{"__proto__": {}, "constructor": {}, "main": {"__proto__": {"addr": ":1"}, "toString": 1},
      "metrics": {"__proto__": {"frequency": 1, "aggregation": null}, "constructor": {"frequency": 1, "aggregation": null}},
      "metric-store": {"retention-in-memory": "48h", "memory-cap": 2}}`;
    const paths = problemsOf(text).map((line) => /: ([\w.-]+): unknown key/.exec(line)?.[1]);
    expect(paths).toEqual([
      '__proto__',
      'constructor',
      'main.__proto__',
      'main.toString',
      'metrics.__proto__',
      'metrics.constructor',
    ]);
    expect(({} as Record<string, unknown>).addr).toBeUndefined();
  });

  it('refuses a list where an object is expected, once and wherever it is', () => {
    const found = (text: string) => problemsOf(text).map((line) => line.replace(/^c\.json:\d+:\d+: /, ''));
    expect(found('{"main": [], "metrics": [], "metric-store": [], "nats": [{"password": "s3cret"}]}')).toEqual([
      'main: expected an object, found []',
      'metrics: expected an object, found []',
      'metric-store: expected an object, found []',
      'nats: expected an object, found [{"password":"(not shown)"}]',
    ]);
    expect(problems({ main: { debug: [] } })).toEqual([expect.stringContaining('main.debug: expected an object')]);
  });

  it('never shows a key or a password', () => {
    const key = 'MC4CAQAwBQYDK2VwBCIEIL+C0mkLvWA3PDL9oZBlaMI0voOS+JYdl4jL4nr=';
    expect(problems({ main: { 'jwt-public-key': key } }).join()).toMatch(/found a string \(not shown\)$/);
    for (const address of ['ftp://u:s3cret@h/', 'ftp://u:s3/cr@et@h', 'u:s3cret@h']) {
      expect(problems({ main: { 'backend-url': address } }).join()).not.toMatch(/s3|cret/);
    }
  });

  it('takes one backend token, and shows none', () => {
    const url = 'http://backend';
    expect(load({ main: { 'backend-url': url, 'backend-token-file': 'f' } }).config.main.backendToken).toEqual({
      file: 'f',
    });
    const both = { 'backend-url': url, 'backend-token': 'a.b.c', 'backend-token-file': 'f' };
    expect(problems({ main: both })).toEqual([
      expect.stringContaining('main.backend-token-file: backend-token is given as well, expected one of the two'),
    ]);
    for (const wrong of ['', 's3c ret', 's3c\nret', 4711]) {
      const lines = problems({ main: { 'backend-url': url, 'backend-token': wrong } });
      expect(lines).toEqual([
        expect.stringMatching(/main.backend-token: expected a JWT.*, found a \w+ \(not shown\)$/),
      ]);
    }
    for (const key of ['backend-token', 'backend-token-file']) {
      const { warnings } = load({ main: { [key]: 'a.b.c' } });
      expect(warnings).toEqual([expect.stringContaining(`main.${key}: is not used: main.backend-url is missing`)]);
    }
  });

  it('never shows a password', () => {
    const lines = problems({ nats: { address: 'nats://n', password: 4711 } });
    expect(lines).toEqual([expect.stringContaining('nats.password: expected text, found a number (not shown)')]);
    expect(lines.join()).not.toContain('4711');
    expect(problems({ main: { 'backend-url': 'ftp://user:s3cret@host/' } })).toEqual([
      expect.stringContaining('main.backend-url: expected an http or https URL, found "ftp://***@host/"'),
    ]);
  });

  it('says where JSON is broken', () => {
    expect(problemsOf('{\n  "main": {,}\n}')).toEqual([
      'c.json:2:12: not valid JSON: expected a key in double quotes, found ","',
    ]);
    expect(problemsOf('{"main": {}')).toEqual([
      'c.json:1:12: not valid JSON: expected "," or "}", found the end of the file',
    ]);
    expect(problemsOf('')).toEqual(['c.json:1:1: not valid JSON: expected a value, found the end of the file']);
    expect(problemsOf('[]')).toEqual(['c.json:1:1: expected an object, found []']);
  });

  it('names a file that it cannot read', () => {
    expect(() => loadConfig('/nonexistent/config.json')).toThrow(
      /^\/nonexistent\/config\.json: cannot read .*ENOENT.*-config/,
    );
  });
});

describe('what the reference accepts or documents', () => {
  it('reads checkpoints.interval as checkpoint-interval, with a warning', () => {
    const { config, warnings } = load({ 'metric-store': { checkpoints: { interval: '1h' } } });
    expect(config.store.checkpointIntervalSeconds).toBe(3600);
    expect(warnings).toEqual([expect.stringContaining('metric-store.checkpoints.interval: is read as')]);
    expect(problems({ 'metric-store': { checkpoints: { interval: 'x' } } })).toEqual([
      expect.stringContaining('metric-store.checkpoint-interval: expected a duration'),
    ]);
  });

  it('prefers checkpoint-interval when both are given', () => {
    const store = { checkpoints: { interval: '1h' }, 'checkpoint-interval': '2h' };
    expect(load({ 'metric-store': store }).config.store.checkpointIntervalSeconds).toBe(7200);
  });

  it('ignores cleanup.interval with a warning', () => {
    const { config, warnings } = load({
      'metric-store': { cleanup: { interval: '48h', mode: 'archive', directory: 'd' } },
    });
    expect(config.store.cleanup).toEqual({ mode: 'archive', directory: 'd' });
    expect(warnings).toEqual([expect.stringContaining('metric-store.cleanup.interval: is ignored')]);
  });

  it('warns of an unknown section', () => {
    expect(load({ archive: {} }).warnings).toEqual([expect.stringContaining('archive: unknown section, ignored')]);
  });

  it('keeps everything for a retention of zero, as there', () => {
    expect(load({ 'metric-store': { 'retention-in-memory': '0' } }).config.store.retentionSeconds).toBe(876000 * 3600);
  });

  it('warns of subscriptions without a server', () => {
    const { config, warnings } = load({
      'metric-store': { 'nats-subscriptions': [{ 'subscribe-to': 's' }] },
      nats: {},
    });
    expect(config.nats).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('nats.address is missing')]);
  });

  it("reads the reference's creds-file-path", () => {
    expect(load({ nats: { address: 'n', 'creds-file-path': 'f' } }).config.nats).toEqual({
      address: 'n',
      credsFile: 'f',
    });
  });

  /** Where the reference starts without a complaint on a value that cannot work: an error here, on purpose. */
  const refusedOnPurpose = new Map([
    ['freq -1', 'metrics.a.frequency'],
    ['cleanup arch dir ""', 'metric-store.cleanup.directory'],
    ['subs ""', 'metric-store.nats-subscriptions[0].subscribe-to'],
    ['addr :http', 'main.addr'],
    ['jwt short', 'main.jwt-public-key'],
    ['cert only', 'main.https-key-file'],
    ['backend foo', 'main.backend-url'],
  ]);
  /** Recorded from the reference's binary; "complains": it starts, but its log says the value is invalid. */
  const verdicts: { name: string; text: string; reference: string }[] = JSON.parse(
    readFileSync(new URL('../data/config-verdicts.json', import.meta.url), 'utf8'),
  );
  it.each(verdicts.filter(({ reference }) => reference === 'accepts'))('accepts: $name', ({ name, text }) => {
    const path = refusedOnPurpose.get(name);
    if (path === undefined) expect(problemsOf(text)).toEqual([]);
    else expect(problemsOf(text)).toEqual([expect.stringContaining(` ${path}: `)]);
  });

  /** Refused there: the start of HTTP fails later, or Go's decoder is narrower than JSON. */
  const acceptedOnPurpose = [
    ...['freq 60.0', 'freq 6e1', 'workers 1.0', 'bom', 'cleanup {}', 'cleanup.interval', 'ckpt.interval'],
    ...['user nobody', 'user nope', 'group nope'],
  ];
  it.each(verdicts.filter(({ reference }) => reference !== 'accepts'))('refuses: $name', ({ name, text }) => {
    expect(problemsOf(text).length > 0).toBe(!acceptedOnPurpose.includes(name));
  });
});

describe('files', () => {
  it.each(['config.json', 'config-production.json'])('loads configs/%s without a warning', (name) => {
    expect(loadConfig(`configs/${name}`).warnings).toEqual([]);
  });

  it('serves the example on localhost:8082 without authentication', () => {
    const { config } = loadConfig('configs/config.json');
    expect(config.main).toEqual({ host: 'localhost', port: 8082 });
  });

  it('loads a file by its path', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'c.json');
    writeFileSync(path, withSections({ foo: {} }));
    const { config, warnings } = loadConfig(path);
    expect(config.metrics.size).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/^\/.*c\.json:1:\d+: foo: unknown section/)]);
  });
});

describe('the schemas', () => {
  it('describe every key, and turn into JSON Schema for the documentation', () => {
    interface Node {
      description?: string;
      properties?: Record<string, Node>;
      additionalProperties?: Node | boolean;
      items?: Node;
    }
    const undescribed = (node: Node, path: string): string[] => [
      ...(node.description === undefined ? [path] : []),
      ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => undescribed(child, `${path}.${key}`)),
      ...(typeof node.additionalProperties === 'object' ? undescribed(node.additionalProperties, `${path}.*`) : []),
      ...(node.items === undefined ? [] : undescribed(node.items, `${path}[]`)),
    ];
    const schema = toJsonSchema(configSchema, { errorMode: 'ignore' }) as Node;
    expect(undescribed(schema, 'config')).toEqual([]);
    expect(Object.keys(schema.properties ?? {})).toEqual([
      'main',
      'metrics',
      'metric-store',
      'nats',
      'cluster',
      'promql',
      'influx',
    ]);
    expect(schema.properties?.main?.additionalProperties).toBe(false);
  });
});
