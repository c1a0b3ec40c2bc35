import { setTimeout as sleep } from 'node:timers/promises';
import { LIMIT } from './limits.js';

/**
 * Resolves once the condition holds; it is looked at every 10 ms.
 * @param what what is waited for, for the error; a function is called only then. Default: the condition's source.
 * @throws Error when it does not come true within `LIMIT`, or what the condition throws.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string) = String(condition),
): Promise<void> {
  for (const end = Date.now() + LIMIT; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`waited ${LIMIT} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await sleep(10);
  }
}
