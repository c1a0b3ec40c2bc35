/**
 * Preloaded into a server (`NODE_OPTIONS=--import=...`): changes texts of what was built, as `REWRITTEN` says, before it is run.
 *
 *   {"chunk-cluster.js": {"const TRIM_MS = 6e4;": "const TRIM_MS = 300;"}}      a text that is not there is an error
 */
import { register } from 'node:module';

const hooks = `
const changes = ${process.env.REWRITTEN};
export async function load(url, context, next) {
  const loaded = await next(url, context);
  const name = url.slice(url.lastIndexOf('/dist/') + 6);
  let source = loaded.source;
  for (const [from, to] of Object.entries(changes[name] ?? {})) {
    source = String(source);
    if (!source.includes(from)) throw new Error('rewritten.mjs: ' + name + ' does not contain ' + from);
    source = source.replace(from, to);
  }
  return { ...loaded, source };
}`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
