/** Which cluster a data directory is of, in `cluster.json`: samples of another one must not be mixed in. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../persistence/files.js';

const NAME = 'cluster.json';

/** Undefined: of none yet. @throws Error when the file makes no sense. */
export function readIdentity(root: string): string | undefined {
  const path = join(root, NAME);
  if (!existsSync(path)) return undefined;
  try {
    const { identity } = JSON.parse(readFileSync(path, 'utf8')) as { identity?: unknown };
    if (typeof identity === 'string') return identity;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`${path}: expected {"name": ..., "identity": ...}`);
}

export function writeIdentity(root: string, name: string, identity: string): void {
  replaceFile(join(root, NAME), `${JSON.stringify({ name, identity })}\n`);
}
