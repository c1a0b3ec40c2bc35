/** `main.debug.dump-to-file`: the tree as JSON, written when the server stops. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../log.js';
import type { Store } from '../store/store.js';

/** Never rejects: a stop must not fail for a dump. */
export async function dumpToFile(store: Pick<Store, 'debug'>, path: string, log: Logger): Promise<void> {
  try {
    await pipeline(Readable.from(await store.debug([])), createWriteStream(path));
  } catch (error) {
    log.err(`the debug dump to ${path} failed`, error);
  }
}
