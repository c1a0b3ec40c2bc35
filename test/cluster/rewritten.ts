import { join } from 'node:path';

/** Environment of a server of whose build some texts are others; see rewritten.mjs. @param changes by file of dist/. */
export function rewritten(changes: Record<string, Record<string, string>>): { env: NodeJS.ProcessEnv } {
  const preload = join(import.meta.dirname, 'rewritten.mjs');
  return { env: { NODE_OPTIONS: `--import=${preload}`, REWRITTEN: JSON.stringify(changes) } };
}
