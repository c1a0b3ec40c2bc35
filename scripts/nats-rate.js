// How fast messages of one line each go from NATS into the store: node scripts/nats-rate.js [--peer "COMMAND -config {config}"]
// Needs a build and nats-server. Prints, for each server and round, wall and CPU time from the first message to the last stored.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [HOSTS, PER_HOST, ROUNDS] = [200, 1000, 2];
const TIME = Math.floor(Date.now() / 60_000) * 60 - 3600;
const peer = process.argv[2] === '--peer' ? process.argv[3] : undefined;
const commands = { ours: `${process.execPath} ${resolve('dist/server.js')} -config {config}`, ...(peer && { peer }) };
const dir = mkdtempSync(join(tmpdir(), 'ccms-nats-rate-'));
const children = new Set();

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function start(command, cwd) {
  const [name, ...args] = command.split(' ');
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn(name, args, { cwd, env, stdio: 'ignore' });
  children.add(child);
  return child;
}

async function stop(child) {
  child.kill('SIGKILL');
  await once(child, 'exit');
  children.delete(child);
}

/** Values of the last hardware thread of each host; fewer than HOSTS until all are there. */
function lastValues(port) {
  const queries = Array.from({ length: HOSTS }, (_, h) => ({
    metric: 'cpu_load',
    host: `node${h}`,
    type: 'hwthread',
    'type-ids': [String(PER_HOST - 1)],
  }));
  const body = JSON.stringify({ cluster: 'alpha', from: TIME, to: TIME + 60, queries });
  return new Promise((done) => {
    const asking = request({ port, host: '127.0.0.1', path: '/api/query/', method: 'GET' }, async (answer) => {
      const chunks = await answer.toArray();
      if (answer.statusCode !== 200) return done([]);
      const { results } = JSON.parse(Buffer.concat(chunks).toString());
      done(results.flatMap((list) => (list ?? []).flatMap(({ data }) => data ?? [])));
    });
    asking.on('error', () => done([]));
    asking.setHeader('content-length', Buffer.byteLength(body));
    asking.end(body);
  });
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measure(name, natsPort, messages) {
  const port = await freePort();
  const cwd = mkdtempSync(join(dir, 'server-'));
  const config = join(cwd, 'config.json');
  const checkpoints = { directory: join(cwd, 'checkpoints'), 'file-format': 'wal' };
  const store = { 'retention-in-memory': '48h', 'memory-cap': 4, 'checkpoint-interval': '12h', checkpoints };
  const full = {
    main: { addr: `127.0.0.1:${port}` },
    metrics: { cpu_load: { frequency: 60, aggregation: 'avg' } },
    'metric-store': { ...store, 'nats-subscriptions': [{ 'subscribe-to': 'hpc', 'cluster-tag': 'alpha' }] },
    nats: { address: `nats://127.0.0.1:${natsPort}` },
  };
  writeFileSync(config, JSON.stringify(full));
  const child = start(commands[name].replace('{config}', config), cwd);
  // Started, and subscribed.
  await sleep(3000);
  const socket = connect(natsPort, '127.0.0.1');
  await once(socket, 'connect');
  const [begin, before] = [performance.now(), cpuSeconds(child.pid)];
  socket.write('CONNECT {"verbose":false}\r\n');
  for (const chunk of messages) if (!socket.write(chunk)) await once(socket, 'drain');
  while ((await lastValues(port)).length < HOSTS) {
    if (performance.now() - begin > 20_000) throw new Error(`${name}: not all messages arrived in 20 s`);
    await sleep(50);
  }
  const [wall, cpu] = [(performance.now() - begin) / 1000, cpuSeconds(child.pid) - before];
  console.log(`${name}: ${HOSTS * PER_HOST} messages in ${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU`);
  socket.destroy();
  await stop(child);
}

function* chunks() {
  let chunk = '';
  for (let i = 0; i < HOSTS * PER_HOST; i++) {
    const line = `cpu_load,hostname=node${i % HOSTS},type=hwthread,type-id=${Math.floor(i / HOSTS)} value=${i} ${TIME}`;
    chunk += `PUB hpc ${line.length}\r\n${line}\r\n`;
    if (chunk.length > 64 << 10 || i === HOSTS * PER_HOST - 1) {
      yield chunk;
      chunk = '';
    }
  }
}

try {
  const natsPort = await freePort();
  start(`nats-server -a 127.0.0.1 -p ${natsPort}`, dir);
  await sleep(500);
  const messages = [...chunks()];
  const names = Object.keys(commands);
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 ? names.toReversed() : names) await measure(name, natsPort, messages);
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
