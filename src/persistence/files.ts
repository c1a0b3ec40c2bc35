/** Small file operations whose order decides what survives a crash or a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes creations, renames and removals in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes all bytes at the file's end; a short write goes on where it stopped. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at);
}

/** Replaces a file's content in one step: after a crash the old or the new content is there, whole. */
export function replaceFile(path: string, content: string): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w');
  try {
    writeAll(fd, Buffer.from(content));
    fsyncSync(fd);
  } catch (error) {
    throw new Error(`${temporary}: ${(error as Error).message}`, { cause: error });
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Removes a file that nothing refers to any more; it may be gone already. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
