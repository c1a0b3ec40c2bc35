// Clears up after a test run: `node reaper.js DIRECTORY` waits until its standard input ends, which is when the run's
// process ends, however that happens. Then it kills all processes that carry the run's mark, names them, unmounts the disks below
// the run's directory, and removes it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { argv, kill, stdin, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , directory] = argv;
const mark = `CCMS_TEST_RUN=${directory}`;

/** Processes with the mark in their environment. */
function marked() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, 'environ').split('\0').includes(mark));
}

/** A file of a process; empty when it is gone or another user's. */
function read(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Where something is mounted below the directory. */
function mounted() {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => place.startsWith(`${directory}/`));
}

// When the run was killed there is nobody to read the names.
stdout.on('error', () => {});
for await (const _ of stdin);

const named = new Set();
// Twice in a row: one that was just about to start another is found then.
for (let quiet = 0; quiet < 2; ) {
  const found = marked();
  quiet = found.length > 0 ? 0 : quiet + 1;
  for (const pid of found) {
    if (!named.has(pid)) console.log(`${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`);
    named.add(pid);
    try {
      kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await sleep(50);
}
for (const disk of mounted()) spawnSync('umount', ['-l', disk]);
rmSync(directory, { recursive: true, force: true });
