import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directories = new Set<string>();

/**
 * A fresh directory, removed after the last test of the file. It lies in the run's directory (global-setup.ts), which goes
 * when the run ends, however it ends.
 */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ccms-'));
  directories.add(directory);
  return directory;
}

/** Removes all that were given out; setup.ts calls it. */
export function removeDirectories(): void {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  directories.clear();
}
