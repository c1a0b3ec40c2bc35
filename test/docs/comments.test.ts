/** Comments name only files that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDERS = ['assembly', 'bench', 'scripts', 'src', 'test'];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
);
// This file has comments in strings.
const sources = files.filter((name) => /\.(ts|tsx|js|mjs)$/.test(name) && name !== 'test/docs/comments.test.ts');
const pages = [...readdirSync('.'), ...readdirSync('docs').map((name) => join('docs', name))];
const known = [...files, ...pages].map((name) => `/${name}`);

/** Files of others, which comments refer to. */
const FOREIGN = new Set(['rt/tlsf.ts']);

/** A source or a page with or without its folders, or a path from the top of the project. */
const NAMED =
  /(?<![\w./-])(?:[\w./-]*[\w-]\.(?:ts|tsx|js|mjs|sh|md)|(?:assembly|bench|configs|contrib|docs|scripts|src|test)\/[\w./-]*[\w/-])(?![\w*])/g;

/** The names in a source's comments that no file has. */
function missing(text: string): string[] {
  const comments = text.matchAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g);
  return [...comments].flatMap(([comment]) =>
    [...comment.replace(/https?:\S*/g, '').matchAll(NAMED)]
      .map(([name]) => name)
      .filter((name) => !FOREIGN.has(name) && !isThere(name)),
  );
}

function isThere(name: string): boolean {
  // What is built has the name of what it is built from, all in one folder.
  const path = name.replace(/^dist\//, '').replace(/^chunk-|^\.\//, '');
  if (existsSync(path)) return true;
  const source = path.replace(/\.js$/, '.ts');
  return known.some((file) => file.endsWith(`/${path}`) || file.endsWith(`/${source}`));
}

describe('comments', () => {
  it('name only files that are there', () => {
    const found = sources.flatMap((file) => missing(readFileSync(file, 'utf8')).map((name) => `${file}: ${name}`));
    expect(found).toEqual([]);
  });

  it('that name others fail this test', () => {
    const text = [
      '/**',
      ' * See links.test.ts, test/docs/links.test.ts and docs/api.md, or no-such.ts,',
      ' * `src/nowhere/` and docs/nothing.md.',
      ' */',
      "import { x } from './code-is-not-a-comment.js'; // dist/server.js, dist/no-server.js; https://example.org/x.js",
    ].join('\n');
    expect(missing(text)).toEqual(['no-such.ts', 'src/nowhere/', 'docs/nothing.md', 'dist/no-server.js']);
  });
});
