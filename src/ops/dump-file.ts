/** `main.debug.dump-to-file`: the tree as JSON, written when the server stops. */
import { open } from 'node:fs/promises';
import type { Logger } from '../base/log.js';
import type { Store } from '../store/store.js';

/** Never rejects: a stop must not fail for a dump. */
export async function dumpToFile(store: Pick<Store, 'debug'>, path: string, log: Logger): Promise<void> {
  try {
    const answer = await store.debug([]);
    const file = await open(path, 'w');
    try {
      if (answer instanceof Uint8Array) await file.writeFile(answer);
      // Each piece is in the file before the next one is asked for.
      else for await (const piece of answer) await file.appendFile(piece);
    } finally {
      await file.close();
    }
  } catch (error) {
    log.err(`the debug dump to ${path} failed`, error);
  }
}
