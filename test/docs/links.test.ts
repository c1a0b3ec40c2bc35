import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const pages = [...readdirSync('.'), ...readdirSync('docs').map((name) => join('docs', name))].filter((name) =>
  name.endsWith('.md'),
);

/** Text without fenced code blocks. */
function prose(path: string): string {
  return readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
}

/** The anchors that GitHub gives to a page's headings. */
function anchors(path: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of prose(path).matchAll(/^#+ +(.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; found.has(anchor); n++) anchor = `${slug}-${n}`;
    found.add(anchor);
  }
  return found;
}

function links(path: string): string[] {
  return [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^(https?|mailto):/.test(target));
}

/** What commands make, and git leaves out. */
const ignored = new Set(readFileSync('.gitignore', 'utf8').split('\n'));

describe('the documentation', () => {
  it('is where the README says', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/operations.md']),
    );
    const linked = new Set(links('README.md').map((target) => normalize(target.replace(/#.*/, ''))));
    for (const page of pages) if (page !== 'README.md') expect(linked, `README.md links ${page}`).toContain(page);
  });

  it.each(pages)('%s has no dead links', (page) => {
    const dead = links(page).filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      if (!existsSync(path)) return true;
      return anchor !== undefined && statSync(path).isFile() && !anchors(path).has(anchor);
    });
    expect(dead).toEqual([]);
  });

  it.each(pages)('%s has no table cell that should be a paragraph', (page) => {
    const cells = prose(page)
      .split('\n')
      .filter((row) => row.startsWith('|'))
      .flatMap((row) => row.split('|').map((cell) => cell.trim()));
    expect(cells.filter((cell) => cell.length > 120 && !/^[-:]+$/.test(cell))).toEqual([]);
  });

  it.each(pages)('%s names only files that exist', (page) => {
    const named = [...prose(page).matchAll(/`((?:assembly|src|test|bench|configs|contrib|scripts|docs)\/[\w./-]+)`/g)];
    const missing = named.map(([, path = '']) => path).filter((path) => !existsSync(path) && !ignored.has(path));
    expect(missing).toEqual([]);
  });

  it.each(pages)('%s gives only npm scripts that exist', (page) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...readFileSync(page, 'utf8').matchAll(/npm (?:run ([\w-]+)|(start|test)\b)/g)];
    for (const [, script, short] of named) expect(scripts).toHaveProperty([script ?? short ?? '']);
  });
});
