// `npm run cluster`: three stores and a nats-server on this machine, to try what happens when one dies. Needs nats-server.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve('var/cluster');
const FIRST_PORT = 8082;
const NATS_PORT = 4322;
const HOSTS = 50;
const IDS = ['store1', 'store2', 'store3'];
const children = new Map();

function start(name, command, argv, cwd) {
  const child = spawn(command, argv, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  child.on('error', (error) => {
    process.stderr.write(`${command}: ${error.message}; install it first (apt install nats-server)\n`);
    stop(1);
  });
  child.on('exit', () => children.delete(name));
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
  start(id, process.execPath, [resolve('dist/server.js'), '-config', 'config.json', '-loglevel', 'err'], directory);
}

function stop(code) {
  for (const child of children.values()) child.kill('SIGTERM');
  setTimeout(() => process.exit(code), 3000).unref();
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
  let acknowledged = 0;
  for (let time = begin; ; time++) {
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
    const alive = IDS.filter((id) => children.has(id));
    process.stdout.write(
      `\r${acknowledged} samples acknowledged, ${found} answered; running: ${alive.join(', ')}        `,
    );
    if (found < acknowledged) process.stdout.write('\nMISSING SAMPLES\n');
    await sleep(Math.max(0, (time + 1) * 1000 - Date.now()));
  }
}

function keyPressed(_, key) {
  if (key.name === 'q' || (key.ctrl && key.name === 'c')) stop(0);
  const id = IDS[Number(key.name) - 1];
  if (id === undefined) return;
  if (children.has(id)) children.get(id).kill('SIGKILL');
  else startStore(id);
  process.stdout.write(`\n${id} ${children.has(id) ? 'is started or killed' : 'is gone'}\n`);
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
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(0));
await run();
