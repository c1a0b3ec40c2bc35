// Builds the Wasm core: both targets, fixed flags (asconfig.json). One script, so that every machine builds the same module.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

mkdirSync('dist', { recursive: true });
const targets = process.argv.length > 2 ? process.argv.slice(2) : ['release', 'debug'];
for (const target of targets) {
  const run = spawnSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', '--target', target], {
    stdio: 'inherit',
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
}
