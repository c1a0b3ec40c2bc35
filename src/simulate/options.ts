/** The simulator's command line. */
import { type FlagTable, parseGoFlags } from '../base/flags.js';
import type { ClusterShape } from './cluster.js';
import { METRICS } from './metrics.js';

export interface Options {
  url: URL;
  shape: ClusterShape;
  /** Seconds between two samples of a series. */
  interval: number;
  /** Lines a second at most; 0: no limit. */
  rate: number;
  /** Samples of each series; Infinity: until stopped. */
  steps: number;
  /** Unix seconds of the first sample; undefined: now. */
  start: number | undefined;
  connections: number;
  jwt: string;
}

/** Print `text` to stderr and leave with the code. */
export interface OptionsExit {
  exit: 0 | 2;
  text: string;
}

const COMMAND = 'cc-metric-store simulate';
/** What a laptop and a small server take without effort, once a minute. */
const SERIES = 60_000;
/** Series of each hardware thread, and of a node beside those. */
const THREAD_SERIES = METRICS.filter(({ scope }) => scope === 'hwthread').length;
const OTHER_SERIES = 20;
const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

const FLAGS = {
  url: {
    kind: 'string',
    default: 'http://localhost:8082',
    placeholder: 'URL',
    usage: 'Base URL of the server; the default is that of configs/config.json',
  },
  cluster: { kind: 'string', default: 'alex', placeholder: 'NAME', usage: 'Name of the cluster' },
  nodes: { kind: 'int', default: 8, usage: 'Number of nodes' },
  threads: {
    kind: 'int',
    default: 72,
    usage:
      'Hardware threads a node; if not given, fewer where there are many nodes, so that all have about 60 000 series',
  },
  sockets: { kind: 'int', default: 2, usage: 'Sockets a node' },
  gpus: { kind: 'int', default: 4, usage: 'GPUs of each node in the last quarter' },
  dead: { kind: 'int', default: 1, usage: 'Nodes that stop reporting; if not given, none of fewer than 8' },
  late: {
    kind: 'int',
    default: 1,
    usage: 'Nodes that report three intervals late; if not given, none of fewer than 8',
  },
  hot: { kind: 'int', default: 1, usage: 'Nodes whose cooling has failed; if not given, none of fewer than 8' },
  interval: { kind: 'int', default: 60, placeholder: 'SECONDS', usage: 'Time between two samples of a series' },
  rate: { kind: 'float', default: 0, placeholder: 'LINES', usage: 'Lines a second at most; 0: as fast as it goes' },
  steps: { kind: 'int', default: 0, usage: 'Samples of each series; 0: until stopped' },
  start: {
    kind: 'string',
    default: '',
    placeholder: 'TIME',
    usage:
      'Backfill from here up to now, then go on live: unix seconds, a date such as 2026-11-24T00:00:00Z, or an age such as 2h or 7d',
  },
  connections: { kind: 'int', default: 2, usage: 'Connections to the server' },
  jwt: { kind: 'string', default: '', placeholder: 'TOKEN', usage: 'JSON web token, if the server wants one' },
  seed: { kind: 'int', default: 1, usage: 'The same seed gives the same values' },
} as const satisfies FlagTable;

/** Reads `argv` (without node and script). @param now unix seconds */
export function parseOptions(argv: readonly string[], now: number): Options | OptionsExit {
  const parsed = parseGoFlags(FLAGS, argv, COMMAND);
  if (parsed.kind === 'help') return { exit: 0, text: parsed.usage };
  if (parsed.kind === 'usageError') return wrong(parsed.message);
  const { values, given, rest } = parsed;
  if (rest.length > 0) return wrong(`unexpected argument ${JSON.stringify(rest[0])}: only flags are known`);

  for (const name of ['nodes', 'interval', 'connections'] as const) {
    if (values[name] < 1) return wrong(`-${name} ${values[name]}: expected at least 1`);
  }
  for (const name of ['threads', 'sockets', 'gpus', 'dead', 'late', 'hot', 'rate', 'steps'] as const) {
    if (values[name] < 0) return wrong(`-${name} ${values[name]}: expected 0 or more`);
  }
  if (!/^[^\s,=\\/]+$/.test(values.cluster)) {
    return wrong(
      `-cluster ${JSON.stringify(values.cluster)}: expected a name without spaces, commas, slashes, = or \\`,
    );
  }
  const url = URL.canParse(values.url) ? new URL(values.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return wrong(`-url ${JSON.stringify(values.url)}: expected http://HOST:PORT or https://HOST:PORT`);
  }
  const start = values.start === '' ? undefined : parseTime(values.start, now);
  if (Number.isNaN(start)) {
    return wrong(
      `-start ${JSON.stringify(values.start)}: expected unix seconds, an ISO date or an age such as 2h or 7d`,
    );
  }
  if (start !== undefined && start > now) {
    return wrong(`-start ${JSON.stringify(values.start)}: expected a time in the past`);
  }
  const { cluster, nodes, sockets, gpus, seed, interval, rate, connections, jwt } = values;
  const unwell = (name: 'dead' | 'late' | 'hot'): number => (given.has(name) || nodes >= 8 ? values[name] : 0);
  return {
    url,
    shape: {
      cluster,
      nodes,
      threads: given.has('threads') ? values.threads : Math.min(values.threads, threadsOf(nodes)),
      sockets,
      gpus,
      dead: unwell('dead'),
      late: unwell('late'),
      hot: unwell('hot'),
      seed,
    },
    interval,
    rate,
    steps: values.steps === 0 ? Number.POSITIVE_INFINITY : values.steps,
    start,
    connections,
    jwt,
  };
}

/** Hardware threads a node with which so many nodes have about `SERIES` series. */
function threadsOf(nodes: number): number {
  return Math.max(2, Math.floor((SERIES / nodes - OTHER_SERIES) / THREAD_SERIES));
}

function wrong(message: string): OptionsExit {
  return { exit: 2, text: `${message}\n'${COMMAND} -h' lists the flags\n` };
}

/** Unix seconds, or NaN. */
function parseTime(text: string, now: number): number {
  if (/^\d+$/.test(text)) return Number(text);
  const age = /^-?(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  if (age !== null) return Math.floor(now - Number(age[1]) * (UNIT_SECONDS[age[2] ?? ''] ?? Number.NaN));
  return /^\d{4}-\d\d-\d\d/.test(text) ? Math.floor(Date.parse(text) / 1000) : Number.NaN;
}
