// Rewrites the table of configuration keys in docs/operations.md from the schemas.
import { readFileSync, writeFileSync } from 'node:fs';
import { writeModules } from './modules.js';

const path = 'docs/operations.md';
const [start, end] = ['<!-- keys -->\n', '\n<!-- /keys -->'];
const page = readFileSync(path, 'utf8');
const [head, tail] = [page.split(start)[0], page.split(end)[1]];
if (head === undefined || tail === undefined) throw new Error(`${path}: expected ${start.trim()} ... ${end.trim()}`);
writeModules('build/modules');
const { configKeyTable } = await import('../build/modules/config/key-table.js');
writeFileSync(path, head + start + configKeyTable() + end + tail);
