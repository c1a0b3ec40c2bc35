/** The bench's command line. */
import { resolve } from 'node:path';
import { type FlagTable, parseGoFlags } from '../src/base/flags.js';
import { CLUSTER_TOPICS, type ClusterTopic } from './cluster.js';
import type { Load } from './load.js';
import type { PromqlPeer } from './promql.js';
import { TOPICS, type Topic } from './scenarios.js';

export interface Options {
  load: Load;
  rounds: number;
  topics: ReadonlySet<Topic>;
  /** Command of the server under test; `{config}` stands for its config file. */
  server: string;
  /** Command of the server to compare with; empty: none. */
  peer: string;
  /** Servers that PromQL is compared with. */
  promqlPeers: PromqlPeer[];
  curves: boolean;
  /** Instead: what to measure of clusters of one and three stores beside the server alone. Empty: nothing. */
  clusterTopics: ReadonlySet<ClusterTopic>;
  /** Directory of the result files. */
  out: string;
}

/** Print `text` to stderr and leave with the code. */
export interface OptionsExit {
  exit: 0 | 2;
  text: string;
}

/** The server of this checkout, once it is built. */
export const OWN_SERVER = resolve('dist/server.js');

/** Taken only when named: the first two need a few GB for the peer, the last is compared with other servers. */
const NOT_BY_DEFAULT: readonly Topic[] = ['wide', 'fleet', 'promql'];
const COMMAND = 'npm run bench --';

const FLAGS = {
  hosts: { kind: 'int', default: 8, usage: 'Hosts that send' },
  threads: { kind: 'int', default: 72, usage: 'Hardware threads a host' },
  steps: { kind: 'int', default: 2880, usage: 'Samples of each series' },
  connections: { kind: 'int', default: 2, usage: 'Connections that write' },
  repetitions: { kind: 'int', default: 30, usage: 'How often each query is asked' },
  'more-hosts': {
    kind: 'int',
    default: 0,
    usage: 'Hosts of the second run for the memory a sample; 0: four times -hosts',
  },
  'wide-hosts': { kind: 'int', default: 1000, usage: 'Hosts of the wide run' },
  'fleet-hosts': { kind: 'int', default: 1000, usage: 'Hosts of the fleet, each with a connection of its own' },
  'fleet-seconds': { kind: 'int', default: 30, usage: 'Time for which the fleet is watched at its usual pace' },
  rounds: { kind: 'int', default: 3, usage: 'Rounds, each with fresh processes; medians are shown' },
  only: {
    kind: 'string',
    default: '',
    placeholder: 'A,B',
    usage: `What to measure, of: ${TOPICS.join(', ')}; default: all but ${NOT_BY_DEFAULT.join(', ')}; with -cluster of: ${CLUSTER_TOPICS.join(', ')}`,
  },
  server: {
    kind: 'string',
    default: '',
    placeholder: 'COMMAND',
    usage: 'Server to measure; default: node dist/server.js -config {config}',
  },
  peer: {
    kind: 'string',
    default: '',
    placeholder: 'COMMAND',
    usage: 'Another server of the protocol to run beside it; {config} stands for its config file',
  },
  prometheus: {
    kind: 'string',
    default: '',
    placeholder: 'URL',
    usage: 'For promql: an empty Prometheus that takes remote writes (--web.enable-remote-write-receiver)',
  },
  victoriametrics: { kind: 'string', default: '', placeholder: 'URL', usage: 'For promql: an empty VictoriaMetrics' },
  curves: {
    kind: 'bool',
    default: false,
    usage: 'Instead: throughput, latency and memory against series, samples and workers, as table and SVG',
  },
  cluster: {
    kind: 'bool',
    default: false,
    usage: 'Instead: clusters of one and of three stores beside the server alone, with a nats-server each',
  },
  out: { kind: 'string', default: 'bench/results', placeholder: 'DIR', usage: 'Where the result files go' },
} as const satisfies FlagTable;

const AT_LEAST_ONE = [
  'hosts',
  'threads',
  'steps',
  'connections',
  'repetitions',
  'rounds',
  'wide-hosts',
  'fleet-hosts',
  'fleet-seconds',
] as const;

export function parseOptions(argv: readonly string[]): Options | OptionsExit {
  const parsed = parseGoFlags(FLAGS, argv, COMMAND);
  if (parsed.kind === 'help') return { exit: 0, text: parsed.usage };
  if (parsed.kind === 'usageError') return wrong(parsed.message);
  const { values, rest } = parsed;
  if (rest.length > 0) return wrong(`unexpected argument ${JSON.stringify(rest[0])}: only flags are known`);
  for (const name of AT_LEAST_ONE) {
    if (values[name] < 1) return wrong(`-${name} ${values[name]}: expected at least 1`);
  }
  const all: readonly string[] = values.cluster ? CLUSTER_TOPICS : TOPICS;
  const byDefault = all.filter((topic) => !NOT_BY_DEFAULT.some((name) => name === topic));
  const named = values.only === '' ? byDefault : values.only.split(',');
  const unknown = named.find((name) => !all.includes(name));
  if (unknown !== undefined) return wrong(`-only ${unknown}: expected some of ${all.join(', ')}`);
  const topics = new Set(TOPICS.filter((topic) => !values.cluster && named.includes(topic)));
  const clusterTopics = new Set(CLUSTER_TOPICS.filter((topic) => values.cluster && named.includes(topic)));
  for (const name of ['prometheus', 'victoriametrics'] as const) {
    if (values[name] !== '' && !URL.canParse(values[name])) return wrong(`-${name} ${values[name]}: expected a URL`);
  }
  const { hosts, threads, steps, connections, repetitions, rounds, peer, curves, out } = values;
  return {
    load: {
      hosts,
      threads,
      steps,
      frequency: 60,
      connections,
      repetitions,
      moreHosts: values['more-hosts'] || hosts * 4,
      wideHosts: values['wide-hosts'],
      fleetHosts: values['fleet-hosts'],
      fleetSeconds: values['fleet-seconds'],
    },
    rounds,
    topics,
    server: values.server || `node ${OWN_SERVER} -config {config} -loglevel err`,
    peer,
    promqlPeers: [
      { name: 'Prometheus', url: values.prometheus },
      { name: 'VictoriaMetrics', url: values.victoriametrics },
    ].filter(({ url }) => url !== ''),
    curves,
    clusterTopics,
    out,
  };
}

function wrong(message: string): OptionsExit {
  return { exit: 2, text: `${message}\n'${COMMAND} -h' lists the flags\n` };
}
