/** Worker. Partitions that loaders read for it. */
import type { ReadFiles } from '../../partition/load-partition.js';
import { Claims } from './claims.js';
import type { FromLoader, LoadHelp, ReadingMessage } from './protocol.js';

export interface HelpedLoad {
  /** Loads a partition that no loader has taken. */
  load(partition: number): Promise<void>;
  /** A loader has read a partition. @param image to be copied; it is gone afterwards. */
  adopt(partition: number, image: Uint8Array, files: ReadFiles): Promise<void>;
  reading(message: ReadingMessage): void;
}

/** Loads partitions, some of which loaders take. Resolves when all are loaded, or rejects with the first error. */
export async function loadHelped(
  partitions: readonly number[],
  help: LoadHelp | undefined,
  { load, adopt, reading }: HelpedLoad,
): Promise<void> {
  const claims = help && new Claims(help.claims);
  const adopted = new Map<number, Promise<void>>();
  let arrived = (): void => {};
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  for (const port of help?.ports ?? []) {
    port.on('message', (message: FromLoader) => {
      if (message.kind === 'reading') return reading(message);
      const { partition, image, files } = message;
      const done = adopt(partition, new Uint8Array(image), files);
      port.postMessage(image, [image]);
      done.catch(fail);
      adopted.set(partition, done);
      arrived();
    });
  }
  const others: number[] = [];
  for (const partition of partitions) {
    if (claims && !claims.take(partition)) others.push(partition);
    else await Promise.race([load(partition), failed]);
  }
  for (const partition of others) {
    while (!adopted.has(partition)) {
      await Promise.race([
        new Promise<void>((resolve) => {
          arrived = resolve;
        }),
        failed,
      ]);
    }
    await adopted.get(partition);
  }
  for (const port of help?.ports ?? []) port.close();
}
