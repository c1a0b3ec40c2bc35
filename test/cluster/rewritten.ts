import { join } from 'node:path';

/** Tests wait for heartbeats and for positions to be saved. What is judged by them, leases for one, takes as long as ever. */
const OFTEN = {
  'const HEARTBEAT_MS = 2e3;': 'const HEARTBEAT_MS = 500;',
  'const SAVE_MS = 5e3;': 'const SAVE_MS = 500;',
};

/** Stores take others for dead, themselves for cut off, and give up, after three seconds: for tests that wait for that. */
export const SOONER = {
  'const LEASE_MS = 6e3;': 'const LEASE_MS = 2500;',
  'const DEAD_MS = 7e3;': 'const DEAD_MS = 3e3;',
  // Of questions, and of writes.
  'const GIVE_UP_MS = 8e3;': 'const GIVE_UP_MS = 3e3;',
  'const GIVE_UP_MS$1 = 12e3;': 'const GIVE_UP_MS$1 = 3e3;',
};

/**
 * Environment of a server of whose build some texts are others; see rewritten.mjs. One of a cluster says how it is more often.
 * @param changes by file of dist/. @param preloaded further modules of this folder.
 */
export function rewritten(
  changes: Record<string, Record<string, string>> = {},
  ...preloaded: string[]
): { env: NodeJS.ProcessEnv } {
  const all = { ...changes, 'chunk-cluster.js': { ...OFTEN, ...changes['chunk-cluster.js'] } };
  const imports = ['rewritten.mjs', ...preloaded].map((name) => `--import=${join(import.meta.dirname, name)}`);
  return { env: { NODE_OPTIONS: imports.join(' '), REWRITTEN: JSON.stringify(all) } };
}
