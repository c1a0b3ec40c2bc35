import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { formatNumber, median, percentile, summarise, table } from '../bench/figures.js';
import { hostBodies, metricsConfig, seriesPerHost } from '../bench/mix.js';
import { parseOptions } from '../bench/options.js';
import { eventLoopLagP99 } from '../bench/prometheus.js';
import { queryShapes } from '../bench/queries.js';
import { plots } from '../bench/svg.js';
import { Connection, requestBytes } from '../bench/wire.js';

describe('Connection', () => {
  let server: Server;
  let connection: Connection;
  afterEach(() => {
    connection.close();
    server.close();
  });

  /** A server that answers each request with the pieces, a packet each. */
  async function answering(...answers: string[][]): Promise<void> {
    let count = 0;
    server = createServer((socket: Socket) => {
      socket.setNoDelay(true);
      socket.on('data', async () => {
        for (const piece of answers[count++] ?? []) {
          socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    connection = await Connection.open(typeof address === 'object' && address !== null ? address.port : 0);
  }

  const request = requestBytes('GET', '/', 'question');

  it('reads answers with a length, split anywhere', async () => {
    const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world';
    await answering([whole], [whole.slice(0, 10), whole.slice(10, 39), whole.slice(39, 45), whole.slice(45)]);
    for (let i = 0; i < 2; i++) {
      expect(await connection.send(request, true)).toMatchObject({ status: 200, bytes: 11, body: 'hello world' });
    }
  });

  it('reads chunked answers, split anywhere', async () => {
    const whole =
      'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
    await answering([whole], Array.from(whole), [whole]);
    for (let i = 0; i < 3; i++) {
      expect(await connection.send(request, true)).toMatchObject({ status: 400, bytes: 11, body: 'hello world' });
    }
  });

  it('counts the bytes of a body that nobody wants', async () => {
    await answering(
      ['HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'],
      ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
    );
    expect(await connection.send(request)).toMatchObject({ bytes: 3, body: '' });
    expect(await connection.send(request)).toMatchObject({ bytes: 0 });
  });

  it('fails when the server hangs up', async () => {
    server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    connection = await Connection.open(typeof address === 'object' && address !== null ? address.port : 0);
    await expect(connection.send(request)).rejects.toThrow(/closed|ECONNRESET/);
  });
});

describe('load', () => {
  it('has 743 series a host with 72 threads, all of them configured', () => {
    const lines = hostBodies(0, 72)(1_700_000_000).trimEnd().split('\n');
    expect(lines).toHaveLength(743);
    expect(seriesPerHost(72)).toBe(743);
    expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(743);
    const configured = metricsConfig(60);
    for (const line of lines) expect(configured).toHaveProperty(line.split(',')[0] ?? '');
    expect(configured).toMatchObject({ flops_any: { aggregation: 'sum' }, cpu_user: { aggregation: 'avg' } });
  });

  it('has the same series as lines of several fields, all of them configured', () => {
    const lines = hostBodies(0, 72, 'fields')(1_700_000_000).trimEnd().split('\n');
    expect(lines).toHaveLength(72 + 2 + 1);
    const configured = metricsConfig(60, 'fields');
    let samples = 0;
    for (const line of lines) {
      const [prefix = '', fields = '', time] = line.split(' ');
      expect(time).toBe('1700000000000000000');
      const measurement = prefix.slice(0, prefix.indexOf(','));
      for (const field of fields.split(',')) {
        expect(configured).toHaveProperty(`${measurement}_${field.slice(0, field.indexOf('='))}`);
        samples++;
      }
    }
    expect(samples).toBe(743);
    expect(configured).toMatchObject({ thread_flops_any: { aggregation: 'sum' } });
  });

  it('asks the six questions about hosts and metrics that it sends', () => {
    const shapes = queryShapes({ from: 1000, to: 5000, hosts: 2, threads: 3 });
    expect(new Set(shapes.map(({ key }) => key)).size).toBe(6);
    const sent = hostBodies(1, 3)(0);
    for (const { body } of shapes) {
      const request = JSON.parse(body) as { queries?: { metric: string; host: string }[]; 'for-all-nodes'?: string[] };
      const metrics = request['for-all-nodes'] ?? request.queries?.map(({ metric }) => metric) ?? [];
      expect(metrics.length).toBeGreaterThan(0);
      for (const metric of metrics) expect(sent).toContain(`${metric},cluster=fritz,`);
      for (const { host } of request.queries ?? []) expect(['f0001', 'f0002']).toContain(host);
    }
  });
});

describe('figures', () => {
  it('takes medians and percentiles', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
    expect(percentile([5, 1, 3, 2, 4], 0.5)).toBe(3);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('shows how many times better, whichever way is better', () => {
    const figures = (rate: number, wait: number) =>
      summarise([
        [
          { key: 'rate', label: 'rate', unit: '1/s', value: rate, better: 'more' },
          { key: 'wait', label: 'wait', unit: 'ms', value: wait, better: 'less' },
        ],
      ]);
    const text = table([
      { name: 'ours', figures: figures(300, 2) },
      { name: 'peer', figures: figures(100, 8) },
    ]);
    const cells = text.split('\n').map((row) => row.trim().split(/ {2,}/));
    expect(cells).toEqual([
      ['ours', 'peer', 'times better'],
      ['rate, 1/s', '300', '100', '3'],
      ['wait, ms', '2', '8', '4'],
    ]);
  });

  it('writes three significant digits', () => {
    expect([1234567, 12.345, 0.012345, 0, Number.NaN].map(formatNumber)).toEqual([
      '1,234,567',
      '12.3',
      '0.0123',
      '0',
      '-',
    ]);
  });
});

describe('eventLoopLagP99', () => {
  it('reads summaries, histograms and gauges, in seconds', () => {
    const name = 'ccms_event_loop_lag_seconds';
    expect(eventLoopLagP99(`# HELP x\n${name}{quantile="0.5"} 0.001\n${name}{quantile="0.99"} 0.004\n`)).toBe(4);
    const histogram = `${name}_bucket{le="0.001"} 90\n${name}_bucket{le="0.01"} 99\n${name}_bucket{le="+Inf"} 100\n`;
    expect(eventLoopLagP99(histogram)).toBe(10);
    expect(eventLoopLagP99(`${name} 0.002\n`)).toBe(2);
    expect(eventLoopLagP99('other 1\n')).toBeUndefined();
  });
});

describe('plots', () => {
  it('draws every point inside its cell', () => {
    const points = [
      [1, 10],
      [2, 40],
      [4, 25],
    ] as const;
    const svg = plots([[{ title: 'a', x: 'n', points: [...points] }], [{ title: 'b', x: 'n', points: [[0, 0]] }]]);
    expect(svg).toMatch(/^<svg [^>]*width="300" height="360"/);
    const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
    expect(circles).toHaveLength(4);
    for (const [, x, y] of circles) {
      expect(Number(x)).toBeLessThanOrEqual(300);
      expect(Number(y)).toBeLessThanOrEqual(180);
    }
    expect(svg).not.toContain('NaN');
  });
});

describe('parseOptions', () => {
  it('measures everything but the wide run unless told', () => {
    const options = parseOptions([]);
    expect('topics' in options && [...options.topics]).toEqual([
      ...['ingest', 'query', 'stall', 'memory', 'disk', 'restart', 'checkpoint', 'fields'],
    ]);
    const some = parseOptions(['--only', 'wide,ingest', '--hosts', '3']);
    expect('topics' in some && [...some.topics]).toEqual(['ingest', 'wide']);
    expect('load' in some && some.load.moreHosts).toBe(12);
  });

  it.each([
    [['--only', 'speed'], '-only speed: expected some of ingest'],
    [['--cluster', '--only', 'ingest'], '-only ingest: expected some of writes, queries, failures, partitions'],
    [['--rounds', '0'], '-rounds 0: expected at least 1'],
    [['--what'], 'not defined: -what'],
  ])('refuses %j', (argv, message) => {
    const options = parseOptions(argv);
    expect('text' in options && options.text).toContain(message);
  });
});
