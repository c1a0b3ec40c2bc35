/** A server with a simulated cluster, for tests of the page: nodes on which jobs run, and some that are not well. */
import { readFileSync } from 'node:fs';
import { type ClusterShape, simulatedNodes } from '../../src/simulate/cluster.js';
import { createPoster } from '../../src/simulate/post.js';
import { run } from '../../src/simulate/run.js';
import { Tally } from '../../src/simulate/tally.js';
import { ask } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { until } from '../support/wait.js';

const { metrics } = JSON.parse(readFileSync('configs/config.json', 'utf8')) as { metrics: object };

export const SHAPE: ClusterShape = {
  cluster: 'alex',
  nodes: 200,
  threads: 2,
  sockets: 2,
  gpus: 2,
  dead: 2,
  late: 1,
  hot: 1,
  seed: 1,
};
const INTERVAL = 60;
/** Samples of each series before the tests begin, if nothing else is said. */
const STEPS = 60;

export interface SimulatedCluster {
  server: ServerProcess;
  /** Names by what is wrong with them. */
  named(state: 'well' | 'dead' | 'late' | 'hot'): string[];
  /** The newest value of a metric of each node, by the API. */
  newest(metric: string): Promise<Map<string, number>>;
  /** Posts lines. */
  write(lines: string): Promise<void>;
  stop(): Promise<void>;
}

/** The server answers, has the past minutes, and gets what is new all the time. @param steps minutes. */
export async function startCluster(shape: Partial<ClusterShape> = {}, steps = STEPS): Promise<SimulatedCluster> {
  const whole = { ...SHAPE, ...shape };
  const server = await startServer({
    main: {},
    metrics,
    'metric-store': { 'retention-in-memory': '48h', 'memory-cap': 0, checkpoints: { directory: './checkpoints' } },
  });
  const url = new URL(server.url);
  const tally = new Tally();
  const poster = createPoster({ url, cluster: whole.cluster, connections: 2, jwt: '' });
  const halt = new AbortController();
  const now = Math.floor(Date.now() / 1000);
  const options = {
    url,
    shape: whole,
    interval: INTERVAL,
    rate: 0,
    steps: Number.POSITIVE_INFINITY,
    start: now - steps * INTERVAL,
    connections: 2,
    jwt: '',
  };
  const posting = run(options, poster, tally, halt.signal);
  const nodes = simulatedNodes(whole, INTERVAL);
  const dead = nodes.filter(({ state }) => state === 'dead').reduce((sum, { lines }) => sum + lines, 0);
  const past = nodes.reduce((sum, { lines }) => sum + lines, 0) * steps - (dead * steps) / 2;
  await until(() => tally.accepted >= past, 'the past to be posted');
  return {
    server,
    named: (state) => nodes.filter((node) => node.state === state).map(({ name }) => name),
    async newest(metric) {
      const to = Math.floor(Date.now() / 1000) + 60;
      const body = { cluster: whole.cluster, from: to - 420, to, 'for-all-nodes': [metric], 'with-padding': false };
      const answer = JSON.parse((await ask(server.port, '/api/query', { body: JSON.stringify(body) })).body) as {
        queries: { host: string }[];
        results: { data?: (number | null)[] }[][];
      };
      const values = answer.queries.map(({ host }, i): [string, number | undefined] => [
        host,
        answer.results[i]?.[0]?.data?.filter((value) => value !== null).at(-1),
      ]);
      return new Map(values.filter((entry): entry is [string, number] => entry[1] !== undefined));
    },
    async write(lines) {
      const { status, body } = await ask(server.port, '/api/write?cluster=alex', { body: lines });
      if (status !== 200) throw new Error(`${status}: ${body}`);
    },
    async stop() {
      halt.abort();
      await posting;
      poster.close();
      await server.stop();
    },
  };
}
