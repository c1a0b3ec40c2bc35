import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TRIGGERS } from '../../src/partition/checkpointer.js';

/** The names in the first column of the table below a line. */
function firstColumn(page: string, after: string): string[] {
  const table = page.slice(page.indexOf(after)).match(/(^\|.*\n)+/m)?.[0] ?? '';
  return [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, name = '']) => name);
}

it('docs/durability.md lists every trigger of a checkpoint, and the files that ask for them', () => {
  const page = readFileSync('docs/durability.md', 'utf8');
  expect(firstColumn(page, 'What triggers one:')).toEqual(Object.keys(TRIGGERS));
  for (const [, trigger = '', file = ''] of page.matchAll(/^\| `([\w-]+)`[^|]*\|[^|]*\| `(src\/[\w/.-]+)`/gm)) {
    expect(readFileSync(file, 'utf8'), `${file} asks for it`).toContain(`'${trigger}'`);
  }
});
