import { join } from 'node:path';

/** Tests wait for heartbeats and for positions to be saved. What is judged by them, leases for one, takes as long as ever. */
const OFTEN = {
  'const HEARTBEAT_MS = 2e3;': 'const HEARTBEAT_MS = 500;',
  'const SAVE_MS = 5e3;': 'const SAVE_MS = 500;',
};

/**
 * Environment of a server of whose build some texts are others; see rewritten.mjs. One of a cluster says how it is more often.
 * @param changes by file of dist/.
 */
export function rewritten(changes: Record<string, Record<string, string>> = {}): { env: NodeJS.ProcessEnv } {
  const preload = join(import.meta.dirname, 'rewritten.mjs');
  const all = { ...changes, 'chunk-cluster.js': { ...OFTEN, ...changes['chunk-cluster.js'] } };
  return { env: { NODE_OPTIONS: `--import=${preload}`, REWRITTEN: JSON.stringify(all) } };
}
