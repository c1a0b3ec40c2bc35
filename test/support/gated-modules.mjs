/**
 * Preloaded into a server, as a module and as its loader's hook: while the file CCMS_GATE is there, the server waits before it
 * reads a module whose address matches CCMS_GATED_MODULES. That it waits is said by the file CCMS_GATE with `.held` behind.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

const { CCMS_GATE: gate = '', CCMS_GATED_MODULES: gated = '' } = process.env;

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  while (new RegExp(gated).test(url) && existsSync(gate)) {
    writeFileSync(`${gate}.held`, '');
    await sleep(20);
  }
  return next(url, context);
}
