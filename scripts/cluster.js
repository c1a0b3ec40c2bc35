// `npm run cluster`: three stores and a nats-server on this machine, to try what happens when one dies. Needs nats-server.
// `npm run cluster -- 9000` takes the ports 9000 to 9003 instead of 8082 to 8085; the last one is NATS's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve('var/cluster');
const SERVER = resolve(import.meta.dirname, '../dist/server.js');
const FIRST_PORT = Number(process.argv[2] ?? 8082);
const NATS_PORT = FIRST_PORT + 3;
/** What has not ended by then is killed. */
const STOP_MS = 10_000;
const HOSTS = 50;
const IDS = ['store1', 'store2', 'store3'];
const children = new Map();
let stopping = false;
let acknowledged = 0;
/** Of those that were acknowledged, in the last answer. */
let missing = 0;

function start(name, command, argv, cwd) {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  const child = spawn(command, argv, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  child.on('error', (error) => {
    process.stderr.write(`${command}: ${error.message}; install it first (apt install nats-server)\n`);
    void stop(1);
  });
  child.on('exit', (status, signal) => {
    children.delete(name);
    if (!stopping) process.stdout.write(`\n${name} has ended (${signal ?? `status ${status}`})\n`);
  });
  children.set(name, child);
}

function startStore(id) {
  const directory = `${ROOT}/${id}`;
  const port = FIRST_PORT + IDS.indexOf(id);
  mkdirSync(directory, { recursive: true });
  const config = {
    main: { addr: `127.0.0.1:${port}` },
    metrics: { cpu_load: { frequency: 1, aggregation: 'avg' } },
    nats: { address: `nats://127.0.0.1:${NATS_PORT}` },
    cluster: {
      name: 'demo',
      id,
      advertise: `http://127.0.0.1:${port}`,
      partitions: 12,
      'stream-replicas': 1,
      'rebalance-after': '30s',
    },
    'metric-store': { 'retention-in-memory': '1h', 'memory-cap': 1, 'num-workers': 1 },
  };
  writeFileSync(`${directory}/config.json`, JSON.stringify(config, null, 1));
  start(id, process.execPath, [SERVER, '-config', 'config.json', '-loglevel', 'err'], directory);
}

/** Ends everything, NATS last: the stores take leave by it. */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  process.stdout.write('\nstopping\n');
  for (const names of [IDS, ['nats']]) {
    const ending = names.flatMap((name) => children.get(name) ?? []);
    for (const child of ending) child.kill('SIGTERM');
    const kill = setTimeout(() => {
      for (const child of ending) child.kill('SIGKILL');
    }, STOP_MS);
    await Promise.all(ending.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    clearTimeout(kill);
  }
  process.stdout.write(`${verdict()}\n`);
  process.exit(missing === 0 ? code : 1);
}

function verdict() {
  const text = missing === 0 ? 'nothing is missing' : `${missing} ARE MISSING`;
  return `${acknowledged} samples acknowledged, ${acknowledged - missing} answered: ${text}`;
}

async function ask(id, path, body) {
  const url = `http://127.0.0.1:${FIRST_PORT + IDS.indexOf(id)}${path}`;
  const answer = await fetch(url, { ...(body && { method: 'POST', body }), signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.text();
}

/** Asks the stores one after the other until one does it, as a load balancer would. */
async function askAny(path, body) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask(IDS[attempt % IDS.length], path, body);
    } catch (error) {
      if (attempt > 60) throw error;
      if (attempt % IDS.length === IDS.length - 1) await sleep(250);
    }
  }
}

/** Writes a sample of each host each second; once a second it counts what is there. */
async function run() {
  const begin = Math.floor(Date.now() / 1000);
  for (let time = begin; !stopping; time++) {
    const lines = Array.from({ length: HOSTS }, (_, i) => `cpu_load,hostname=node${i} value=${time % 100} ${time}\n`);
    await askAny('/api/write?cluster=demo', lines.join(''));
    acknowledged += HOSTS;
    const query = {
      cluster: 'demo',
      from: begin,
      to: time + 1,
      queries: lines.map((_, i) => ({ metric: 'cpu_load', host: `node${i}` })),
    };
    const { results } = JSON.parse(await askAny('/api/query?consistency=strong', JSON.stringify(query)));
    const found = results.flatMap(([series]) => series?.data ?? []).filter((value) => value !== null).length;
    missing = acknowledged - found;
    const alive = IDS.filter((id) => children.has(id));
    if (!stopping) process.stdout.write(`\r${verdict()}; running: ${alive.join(', ')}        `);
    await sleep(Math.max(0, (time + 1) * 1000 - Date.now()));
  }
}

function keyPressed(_, key) {
  if (key.name === 'q' || (key.ctrl && key.name === 'c')) void stop(0);
  const id = IDS[Number(key.name) - 1];
  if (id === undefined || stopping) return;
  process.stdout.write(`\n${children.has(id) ? 'killing' : 'starting'} ${id}\n`);
  if (children.has(id)) children.get(id).kill('SIGKILL');
  else startStore(id);
}

rmSync(ROOT, { recursive: true, force: true });
mkdirSync(`${ROOT}/nats`, { recursive: true });
start('nats', 'nats-server', ['-a', '127.0.0.1', '-p', String(NATS_PORT), '-js', '-sd', `${ROOT}/nats`], ROOT);
await sleep(500);
for (const id of IDS) startStore(id);
process.stdout.write(`http://127.0.0.1:${FIRST_PORT}/ and two more. Keys: 1 2 3 kill or start a store, q ends.\n`);
emitKeypressEvents(process.stdin);
if (process.stdin.isTTY) process.stdin.setRawMode(true);
process.stdin.on('keypress', keyPressed);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop(0));
run().catch((error) => {
  if (!stopping) process.stderr.write(`\n${error.message}\n`);
  void stop(1);
});
