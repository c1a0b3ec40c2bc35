/** `npm run lint` refuses circles and imports that go up: the project's own rules, on sources planted in a directory. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/directories.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** A directory with these files. */
function plant(files: Record<string, string>): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const importing = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;
const X = 'export const x = 1;\n';

/** Lints files with the project's rules. @returns `file rule`, sorted. */
function biome(files: Record<string, string>): string[] {
  const directory = plant(files);
  for (const name of ['biome.json', 'biome.imports.json', '.gitignore'])
    copyFileSync(join(ROOT, name), join(directory, name));
  const program = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const run = spawnSync(process.execPath, [program, 'lint', '--reporter=json', '--max-diagnostics=none'], {
    cwd: directory,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  return diagnostics.map(({ category, location }) => `${location.path} ${category.split('/').at(-1)}`).sort();
}

/** What scripts/lint-core.js says to sources below assembly/. @returns its lines, without the last one. */
function lintCore(files: Record<string, string>): string[] {
  const script = join(ROOT, 'scripts/lint-core.js');
  const run = spawnSync(process.execPath, [script, plant(files)], { encoding: 'utf8' });
  expect(run.stdout, run.stderr).toContain(`Checked the imports of ${Object.keys(files).length} files`);
  expect(run.status).toBe(run.stderr === '' ? 0 : 1);
  return run.stderr.split('\n').slice(0, -1).sort();
}

describe('in src', () => {
  it('imports go down, never up', () => {
    const layers = ['config', 'wasm', 'persistence', 'partition', 'store', 'http'];
    const files: Record<string, string> = {};
    const upward: string[] = [];
    for (const [i, layer] of layers.entries()) {
      files[`src/${layer}/target.ts`] = X;
      for (const [j, other] of layers.entries()) {
        if (i === j) continue;
        // Nothing above the store reaches below it.
        const isAllowed = j < i && (layer !== 'http' || ['config', 'store'].includes(other));
        const name = `src/${layer}/deep/from-${other}.ts`;
        files[name] = importing(`../../${other}/target.js`);
        if (!isAllowed) upward.push(`${name} noRestrictedImports`);
      }
    }
    expect(biome(files)).toEqual(upward.sort());
  });

  it('neighbours above the store leave each other alone, nobody imports a program, a test or the page, nor they the inside', () => {
    const files = {
      'src/nats/a.ts': importing('../http/x.js'),
      'src/http/x.ts': X,
      'src/http/b.ts': importing('../service.js'),
      'src/service.ts': X,
      'src/store/c.ts': importing('../../test/x.js'),
      'test/x.ts': X,
      'src/ops/d.ts': importing('../../web/x.js'),
      'web/x.ts': X,
      'bench/a.ts': importing('../src/http/x.js'),
      'web/src/b.ts': importing('../../src/http/x.js'),
      'test/http/x.ts': X,
      'test/support/c.ts': importing('../http/x.js'),
      'test/http/e.ts': importing('../../src/http/x.js'),
    };
    const refused = Object.keys(files).filter((name) => /\/[abcd]\.ts$/.test(name));
    expect(biome(files)).toEqual(refused.map((name) => `${name} noRestrictedImports`).sort());
  });

  it('each folder has a rule', () => {
    const { overrides } = JSON.parse(readFileSync(join(ROOT, 'biome.imports.json'), 'utf8')) as {
      overrides: { includes: string[] }[];
    };
    const ruled = new Set(overrides.flatMap(({ includes }) => includes));
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => `src/${name}/**`).filter((folder) => !ruled.has(folder))).toEqual([]);
  });

  it('there are no circles, of types either', () => {
    const files = {
      'src/http/a.ts': "import type { B } from './b.js';\nexport type A = B | 1;\n",
      'src/http/b.ts': "import type { C } from './c.js';\nexport type B = C | 2;\n",
      'src/http/c.ts': "import type { A } from './a.js';\nexport type C = A[];\n",
      'src/http/d.ts': "import type { A } from './a.js';\nexport type D = A;\n",
    };
    expect(biome(files)).toEqual(['a', 'b', 'c'].map((name) => `src/http/${name}.ts noImportCycles`));
  });
});

describe('in assembly', () => {
  it('imports go down, never up, and of the host only the tables are known', () => {
    const layers = ['memory', 'text', 'codec', 'series', 'read', 'answer'];
    const files: Record<string, string> = {
      'assembly/durable/target.ts': X,
      'src/wasm/tables/codes.ts': X,
      'src/wasm/instance.ts': X,
      'assembly/index.ts': `${importing('./answer/target')}export { x as z } from './durable/target';\n`,
      'assembly/text/codes.ts': importing('../../src/wasm/tables/codes'),
      'assembly/text/instance.ts': importing('../../src/wasm/instance'),
    };
    const refused = [
      'assembly/text/instance.ts: imports src/wasm/instance.ts: the host, but for the shared tables',
      'assembly/answer/from-durable.ts: imports assembly/durable/target.ts: a layer above answer',
    ];
    files['assembly/answer/from-durable.ts'] = importing('../durable/target');
    for (const [i, layer] of layers.entries()) {
      files[`assembly/${layer}/target.ts`] = X;
      for (const [j, other] of layers.entries()) {
        if (i === j) continue;
        files[`assembly/${layer}/from-${other}.ts`] = importing(`../${other}/target`);
        if (j < i) continue;
        refused.push(`assembly/${layer}/from-${other}.ts: imports assembly/${other}/target.ts: a layer above ${layer}`);
      }
    }
    expect(lintCore(files)).toEqual(refused.sort());
  });

  it('there are no circles, whatever is decorated', () => {
    const decorated = (other: string): string =>
      `${importing(`./${other}`)}// @ts-ignore: decorator\n@inline\nexport function f(): void {}\n`;
    const files = { 'assembly/read/a.ts': decorated('b'), 'assembly/read/b.ts': decorated('a') };
    expect(lintCore(files)).toEqual([
      'assembly/read/a.ts: a circle: assembly/read/a.ts -> assembly/read/b.ts -> assembly/read/a.ts',
    ]);
  });
});
