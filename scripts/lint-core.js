// Checks who imports whom in assembly/, which Biome cannot read (its decorators stand on functions): no circles, and
// imports only from the layers below. Part of `npm run lint`; `node scripts/lint-core.js DIRECTORY` checks another checkout.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, exit } from 'node:process';
import { cruise } from 'dependency-cruiser';

/** A folder of assembly/ and the folders that it may import from besides itself. Files beside the folders may import all. */
const LAYERS = {
  memory: [],
  text: ['memory'],
  codec: ['memory', 'text'],
  series: ['memory', 'text', 'codec'],
  read: ['memory', 'text', 'codec', 'series'],
  answer: ['memory', 'text', 'codec', 'series', 'read'],
  durable: ['memory', 'text', 'codec', 'series'],
  ingest: ['memory', 'text', 'codec', 'series', 'read', 'durable'],
};

/** What both sides of the boundary know; all that the core imports from the host's side. */
const SHARED = '^src/wasm/tables/(codes|codecs|layouts)\\.ts$';

const forbidden = [
  { name: 'a circle', severity: 'error', from: {}, to: { circular: true } },
  { name: 'a file that is not there', severity: 'error', from: {}, to: { couldNotResolve: true } },
  {
    name: 'the host, but for the shared tables',
    severity: 'error',
    from: { path: '^assembly/' },
    to: { path: '^src/', pathNot: SHARED },
  },
  ...Object.entries(LAYERS).map(([folder, below]) => ({
    name: `a layer above ${folder}`,
    severity: 'error',
    from: { path: `^assembly/${folder}/` },
    to: { path: '^assembly/', pathNot: `^assembly/(${[folder, ...below].join('|')})/` },
  })),
];

const baseDir = resolve(argv[2] ?? '.');
const { output } = await cruise(['assembly'], {
  baseDir,
  parser: 'swc',
  tsPreCompilationDeps: true,
  validate: true,
  ruleSet: { forbidden },
});
const problems = output.summary.violations.map(({ rule, from, to, cycle }) =>
  cycle
    ? `${from}: a circle: ${[from, ...cycle.map(({ name }) => name)].join(' -> ')}`
    : `${from}: imports ${to}: ${rule.name}`,
);
// Without its parser dependency-cruiser skips files without a word.
const read = new Set(output.modules.map(({ source }) => source));
for (const name of readdirSync(join(baseDir, 'assembly'), { recursive: true })) {
  const file = `assembly/${name}`;
  if (file.endsWith('.ts') && !read.has(file)) problems.push(`${file}: dependency-cruiser did not read it`);
}
for (const problem of problems) console.error(problem);
console.log(`Checked the imports of ${read.size} files below assembly/: ${problems.length} problem(s).`);
exit(problems.length > 0 || read.size === 0 ? 1 : 0);
