// Makes the pictures of README and docs/page.md: `npm run screenshots`. Starts a server of its own with a simulated cluster,
// looks at it with Chromium, and stops both.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const ROOT = new URL('..', import.meta.url).pathname;
const INTO = join(ROOT, 'docs/pictures');
/** Bytes of a picture at most: they are in the repository for ever. */
const LARGEST = 200_000;
const HOURS = 4;
const CLUSTER = ['-nodes', '200', '-threads', '8', '-dead', '2', '-late', '1', '-hot', '1'];

/** What is pictured: name, address, and what has to be there first. */
const PICTURES = [
  { name: 'overview', search: '?metric=cpu_temp', wait: 'Highest' },
  { name: 'matrix', search: '?view=matrix&metric=flops_any', wait: 'nodes, ', dark: true },
  { name: 'node', search: '?view=node&node=g0203', wait: 'health: full' },
  { name: 'store', search: '?view=store', wait: 'Is it safe?', dark: true },
];

const directory = mkdtempSync(join(tmpdir(), 'ccms-screenshots-'));
const children = [];
let code = 0;
try {
  await makeAll();
} catch (error) {
  console.error(error);
  code = 1;
} finally {
  for (const child of children) {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  }
  rmSync(directory, { recursive: true });
}
exit(code);

async function makeAll() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = JSON.parse(readFileSync(join(ROOT, 'configs/config.json'), 'utf8'));
  config.main = { addr: `127.0.0.1:${port}` };
  config['metric-store'].checkpoints = { directory: join(directory, 'checkpoints') };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  start(join(ROOT, 'dist/server.js'), '-config', join(directory, 'config.json'));
  await until(async () => (await fetch(`${url}/healthz`)).ok, 'the server to start');
  start(join(ROOT, 'dist/simulate.js'), '-url', url, '-start', `${HOURS}h`, ...CLUSTER);
  await until(async () => await hasPast(url), 'the simulator to post the past hours');
  mkdirSync(INTO, { recursive: true });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    for (const picture of PICTURES) await make(browser, url, picture);
  } finally {
    await browser.close();
  }
}

async function make(browser, url, { name, search, wait, dark }) {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  await page.goto(`${url}/${search}`);
  await page.getByText(wait).first().waitFor();
  // The rate is known after the second look at the status, and charts are drawn by then.
  await page
    .getByText(/\d lines\/s/)
    .first()
    .waitFor();
  const path = join(INTO, `${name}.png`);
  await page.screenshot({ path });
  await page.close();
  const { size } = statSync(path);
  if (size > LARGEST) throw new Error(`${path} has ${size} bytes, expected at most ${LARGEST}`);
  console.log(`${path}: ${size} bytes`);
}

/** Whether nearly all nodes have samples of the last minutes. */
async function hasPast(url) {
  const answer = await fetch(`${url}/api/nodes?cluster=alex`);
  if (!answer.ok) return false;
  const { time, nodes } = await answer.json();
  return nodes.filter(({ newest }) => newest > time - 180).length > 190;
}

function start(...args) {
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function until(condition, what) {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition().catch(() => false)) return;
    await sleep(500);
  }
  throw new Error(`waited too long for ${what}`);
}
