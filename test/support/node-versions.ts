/** The versions of Node that the server must run on, as binaries: `scripts/test-tools.sh` fetches them. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const SCRIPT = resolve(import.meta.dirname, '../../scripts/node-binary.sh');

export interface NodeVersion {
  major: number;
  /** Path of the binary. */
  path: string;
}

/** Newest first: 24, 22 and 20. */
export function nodeVersions(): NodeVersion[] {
  const paths = execFileSync('bash', [SCRIPT], { encoding: 'utf8' }).trim().split('\n');
  return paths.map((path) => ({ path, major: Number(/\/(\d+)\.[^/]*\/bin\/node$/.exec(path)?.[1]) }));
}
