import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryDirectory } from '../server-process.js';

/**
 * Compiles the core as the release build does, but with a linear memory of at most `pages` of 64 KiB: full within a moment.
 * @returns the module's path, in a directory that is removed when the test process ends.
 */
export function compileSmallCore(pages: number): string {
  const directory = temporaryDirectory();
  const outFile = join(directory, 'core.wasm');
  const options = ['--target', 'release', '--maximumMemory', String(pages), '--textFile', join(directory, 'core.wat')];
  const run = spawnSync(
    process.execPath,
    ['node_modules/assemblyscript/bin/asc.js', ...options, '--outFile', outFile],
    { encoding: 'utf8' },
  );
  if (run.status !== 0) throw new Error(`the core does not compile:\n${run.stderr}${run.stdout}`);
  return outFile;
}
