/** Around a whole run: its directory for everything temporary, and the process that clears up after it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Directory of this run. */
    run: string;
  }
}

export default function setup(project: TestProject): () => Promise<void> {
  const run = mkdtempSync(join(tmpdir(), 'ccms-run-'));
  // Servers that give up root look into it as well.
  chmodSync(run, 0o755);
  project.provide('run', run);
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.js'), run], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let killed = '';
  reaper.stdout.setEncoding('utf8').on('data', (text: string) => {
    killed += text;
  });
  return async () => {
    reaper.stdin.end();
    await once(reaper, 'close');
    if (killed === '') return;
    console.error(`Processes were left behind, and are killed now:\n${killed}`);
    process.exitCode = 1;
  };
}
