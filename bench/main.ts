/** `npm run bench`: what a server of the protocol takes in processor time, latency, memory and disk. `-h` lists the flags, docs/benchmarks.md explains. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Generator } from './client.js';
import { clusters } from './cluster.js';
import { curves } from './curves.js';
import { type Figure, summarise, table } from './figures.js';
import { type Options, OWN_SERVER, parseOptions } from './options.js';
import { promql } from './promql.js';
import { round } from './scenarios.js';

const options = parseOptions(process.argv.slice(2));
if ('exit' in options) {
  process.stderr.write(options.text);
  process.exit(options.exit);
}
if (options.server.includes(OWN_SERVER) && !existsSync(OWN_SERVER)) {
  process.stderr.write(`${OWN_SERVER} is missing: run 'npm run build' first, or name another with -server\n`);
  process.exit(1);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

mkdirSync(options.out, { recursive: true });
const stamp = new Date().toISOString().replace(/[:.]/g, '-');
try {
  if (options.curves) await curves(options, join(options.out, `curves-${stamp}`));
  else if (options.clusterTopics.size) await compareClusters(options, join(options.out, `cluster-${stamp}.json`));
  else await compare(options, join(options.out, `bench-${stamp}.json`));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Rounds of both servers, each time in the other order, so that neither always finds the machine warm. */
async function compare(options: Options, file: string): Promise<void> {
  const { load, rounds, topics, server, peer } = options;
  const servers = [{ name: 'server', command: server, rounds: [] as Figure[][] }];
  if (peer !== '') servers.push({ name: 'peer', command: peer, rounds: [] });
  const others = [...topics].some((topic) => topic !== 'promql');
  for (let i = 0; others && i < rounds; i++) {
    for (const one of i % 2 === 0 ? servers : servers.toReversed()) {
      process.stderr.write(`round ${i + 1} of ${rounds}: ${one.name}\n`);
      one.rounds.push(await round({ command: one.command, frequency: load.frequency }, load, topics));
    }
  }
  const results = servers.map(({ name, command, rounds: all }) => ({ name, command, figures: summarise(all) }));
  if (others) process.stdout.write(`${table(results)}\n`);
  if (topics.has('promql')) results.push(...(await comparePromql(options)));
  keep(file, { load, rounds, results });
}

/** The server alone, and as clusters of one store and of three. */
async function compareClusters({ load, rounds, server, clusterTopics }: Options, file: string): Promise<void> {
  const results = await clusters({ command: server, frequency: load.frequency }, load, rounds, clusterTopics);
  process.stdout.write(`${table(results)}\n`);
  keep(file, { load, rounds, results });
}

function keep(file: string, what: object): void {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, revision: revision() };
  writeFileSync(file, `${JSON.stringify({ machine, ...what }, undefined, 2)}\n`);
  process.stderr.write(`written to ${file}\n`);
}

/** PromQL, in one round: the peers keep what they were sent. */
async function comparePromql({ load, server, promqlPeers }: Options) {
  const generator = new Generator();
  try {
    const measured = await promql({ command: server, frequency: load.frequency }, generator, load, promqlPeers);
    const results = measured.map(({ figures, ...one }) => ({ ...one, figures: summarise([figures]) }));
    const [own, ...others] = results;
    for (const other of others.length > 0 ? others : [undefined]) {
      process.stdout.write(`${table([own, other].filter((one) => one !== undefined))}\n`);
    }
    return results;
  } finally {
    generator.close();
  }
}

/** The checkout's commit; empty outside of one. */
function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
