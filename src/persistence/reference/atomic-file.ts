import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const CHUNK_SIZE = 1 << 18;

/** Gathers small appends into writes of a quarter MiB. */
export class FileSink {
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  #used = 0;
  #written = 0;

  constructor(readonly handle: FileHandle) {}

  /** Bytes appended so far. */
  get offset(): number {
    return this.#written + this.#used;
  }

  /** Appends bytes; they may be reused by the caller once this resolves. */
  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length > CHUNK_SIZE - this.#used) await this.flush();
    if (bytes.length >= CHUNK_SIZE) {
      await this.#write(bytes);
      return;
    }
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async flush(): Promise<void> {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) await this.#write(this.#chunk.subarray(0, used));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, null);
      done += bytesWritten;
    }
    this.#written += bytes.length;
  }
}

/** What an unfinished file is called until it is renamed; the reference passes such names over. */
export function temporaryName(path: string): string {
  return `${path}.tmp`;
}

/**
 * Writes a file that is either there as a whole or not at all, whenever the machine stops: into `<path>.tmp`, fsync,
 * rename, fsync of the directory. Directories are made as needed. If `write` fails the temporary file is removed and
 * what was at `path` before stays; a temporary file of a killed process is overwritten.
 */
export async function writeAtomically(path: string, write: (sink: FileSink) => Promise<void>): Promise<void> {
  await makeDirectory(dirname(path));
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'w', 0o644);
    try {
      const sink = new FileSink(handle);
      await write(sink);
      await sink.flush();
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** `mkdir -p` that survives a power loss: the parents of new directories are fsynced. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o755 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let parent = dirname(resolve(path)); parent.length >= top.length; parent = dirname(parent)) {
    await syncDirectory(parent);
    if (parent === top) break;
  }
}

/** Makes renames and new names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
