/** Preloaded into a server (`NODE_OPTIONS=--import=...`): makes it one that speaks the next version of messages, and this one. */
import { register } from 'node:module';

const THIS = 'const MESSAGE_VERSION = 1;';
const hooks = `
export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!url.endsWith('/dist/chunk-cluster.js')) return loaded;
  const source = String(loaded.source);
  if (!source.includes('${THIS}')) throw new Error('next-version.mjs: chunk-cluster.js has another version than 1');
  return { ...loaded, source: source.replace('${THIS}', 'const MESSAGE_VERSION = 2;') };
}`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
