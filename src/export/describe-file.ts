import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FrameMagic } from '../wasm/tables/codes.js';
import { describeArchive, describeBlocks, describeLog, describeManifest } from './describe-own.js';
import { describeReferenceFile } from './describe-reference.js';

/** "PAR1". */
const PARQUET_MAGIC = 0x31524150;
const SMALL = /^(archive|jobs|json-windows|units)\.json$/;
/** What a walk through a directory looks at; files that were renamed must be named one by one. */
const KNOWN =
  /^(\d{8,}\.(blocks|log)|manifest\.json|\d+\.(bin|json|parquet)|current\.wal|(archive|jobs|json-windows|units)\.json)$/;

/** Says in lines of text what a file holds, ours or the reference's. The kind is found in the content, where it can be. */
export async function* describeFile(path: string): AsyncGenerator<string> {
  const name = basename(path);
  switch (magicOf(path)) {
    case FrameMagic.Checkpoint:
      yield* describeBlocks(path);
      return;
    case FrameMagic.Log:
      yield* describeLog(path);
      return;
    case PARQUET_MAGIC:
      yield* describeArchive(path);
      return;
  }
  if (name.endsWith('.blocks')) yield* describeBlocks(path);
  else if (/\.log$/.test(name)) yield* describeLog(path);
  else if (name.endsWith('.parquet')) yield* describeArchive(path);
  else if (name === 'manifest.json') yield* describeManifest(path);
  else if (SMALL.test(name)) yield `${path}: ${readFileSync(path, 'utf8').trim()}`;
  else yield* describeReferenceFile(path);
}

function magicOf(path: string): number {
  const head = Buffer.alloc(4);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, 4, 0);
  } finally {
    closeSync(fd);
  }
  return head.readUInt32LE();
}

/** Whether a line of a description says that something is not whole. */
export function isDamage(line: string): boolean {
  return /^(damaged|torn)\b/.test(line);
}

/** The path itself, or all files below it that are known by their names. @throws the file system's error. */
export function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && KNOWN.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
