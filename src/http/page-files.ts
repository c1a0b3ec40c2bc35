/**
 * The built page (`dist/web`), as answers to GET: read once, when somebody first asks, and kept, so that an upgrade of the
 * directory never mixes two builds within one process.
 *
 *     index.html    revalidated each time
 *     assets/       names with a hash of the content: immutable; compressed twins beside them
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** Content codings that the build prepares, the better one first. */
const CODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface PageFile {
  /** Value of Content-Type. */
  type: string;
  /** Opaque and without quotes; the same for all codings. */
  tag: string;
  identity: Buffer;
  br?: Buffer;
  gzip?: Buffer;
}

/** Files by their path below the directory, with slashes. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** @throws the file system's error when `directory` is not there or not readable. */
export async function readPageFiles(directory: string): Promise<PageFiles> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => types[extname(name)] !== undefined);
  return new Map(await Promise.all(names.map(async (name) => [name, await readPageFile(directory, name)] as const)));
}

async function readPageFile(directory: string, name: string): Promise<PageFile> {
  const path = join(directory, name);
  const identity = await readFile(path);
  const file: PageFile = {
    type: types[extname(name)] ?? '',
    tag: createHash('sha256').update(identity).digest('base64url').slice(0, 16),
    identity,
  };
  for (const { name: coding, suffix } of CODINGS) {
    // The build compresses no file that would not get smaller.
    const bytes = await readFile(path + suffix).catch(() => undefined);
    if (bytes !== undefined) file[coding] = bytes;
  }
  return file;
}

/**
 * The best form of the file that the client takes.
 * @param accept the request's Accept-Encoding.
 * @returns its bytes, and the coding to be named in Content-Encoding.
 */
export function chooseCoding(
  file: PageFile,
  accept: string | undefined,
): { bytes: Buffer; coding: string | undefined } {
  for (const { name } of CODINGS) {
    const bytes = file[name];
    if (bytes !== undefined && accepts(accept, name)) return { bytes, coding: name };
  }
  return { bytes: file.identity, coding: undefined };
}

/** `br;q=0` refuses, `*` stands for what is not named (RFC 9110, 12.5.3). */
function accepts(accept: string | undefined, coding: string): boolean {
  const offers = new Map(
    (accept ?? '').split(',').map((offer) => {
      const [name = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return [name, Number(quality) > 0] as const;
    }),
  );
  return offers.get(coding) ?? offers.get('*') ?? false;
}

/** Whether an If-None-Match names the tag. Compared weakly: a proxy that compresses may have marked it `W/`. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((item) => {
    const given = item.trim();
    return given === '*' || given.replace(/^W\//, '') === tag;
  });
}
