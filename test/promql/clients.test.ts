/** Programs made for a Prometheus ask the server: promtool, and prometheus-api-client from PyPI. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/client.js';
import { runProcess } from '../support/processes.js';
import { python } from '../support/python.js';
import { config, TIME } from '../support/server-config.js';
import { type ServerProcess, startServer } from '../support/server-process.js';

const END = TIME + 600;
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(config({}, { 'num-workers': 1 }));
  let text = '';
  for (let time = TIME; time <= END; time += 60) {
    for (const [number, host] of ['a0001', 'a0002'].entries()) {
      text += `cpu_load,hostname=${host},type=node value=${number + 0.25} ${time}\n`;
      text += `mem_used,hostname=${host},type=socket,type-id=0 value=${(time - TIME) / 60} ${time}\n`;
    }
  }
  expect((await ask(server.port, '/api/write?cluster=alex', { body: text })).status).toBe(200);
});
afterAll(() => server.stop());

/** What a query of promtool prints. */
async function promtool(...args: string[]): Promise<string> {
  const [kind = '', ...rest] = args;
  const { status, stdout, stderr } = await runProcess('promtool', ['query', kind, ...rest]);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

describe('promtool', () => {
  it('asks at one time', async () => {
    const text = await promtool('instant', '--time', String(END), server.url, 'sum by (cluster) (cpu_load)');
    expect(text).toBe(`{cluster="alex"} => 1.5 @[${END}]\n`);
  });

  it('asks at many times', async () => {
    const times = ['--start', String(END - 120), '--end', String(END), '--step', '60s'];
    const text = await promtool('range', ...times, server.url, 'sum(mem_used)');
    expect(text).toBe(`{} =>\n16 @[${END - 120}]\n18 @[${END - 60}]\n20 @[${END}]\n`);
  });

  it('asks for series and labels', async () => {
    const times = ['--start', String(TIME), '--end', String(END)];
    expect(await promtool('series', ...times, '--match', 'cpu_load{hostname="a0001"}', server.url)).toBe(
      '{__name__="cpu_load", cluster="alex", hostname="a0001", type="node"}\n',
    );
    expect(await promtool('labels', ...times, server.url, 'hostname')).toBe('a0001\na0002\n');
  });
});

const PYTHON = `
import sys, json
from datetime import datetime, timezone
from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect
url, start, end = sys.argv[1], *(datetime.fromtimestamp(int(t), timezone.utc) for t in sys.argv[2:])
server = PrometheusConnect(url=url)
frame = MetricRangeDataFrame(server.custom_query_range("mem_used", start_time=start, end_time=end, step="60"))
print(json.dumps({
  "reachable": server.check_prometheus_connection(),
  "metrics": server.all_metrics(),
  "hosts": server.get_label_values("hostname"),
  "load": server.custom_query("max(cpu_load)", params={"time": end.timestamp()}),
  "rows": len(frame),
  "sum": frame["value"].astype(float).sum(),
}))`;

describe('prometheus-api-client', () => {
  it('lists metrics and labels, and makes data frames', async () => {
    const seen = JSON.parse(await python(['-W', 'ignore', '-c', PYTHON, server.url, String(TIME), String(END)]));
    expect(seen).toMatchObject({
      reachable: true,
      metrics: ['cpu_load', 'mem_used'],
      hosts: ['a0001', 'a0002'],
      load: [{ metric: {}, value: [END, '1.25'] }],
      rows: 22,
      sum: 110,
    });
  });
});
