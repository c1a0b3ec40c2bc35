// Rewrites the table of configuration keys in docs/operations.md from the schemas. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { configKeyTable } from '../dist/config/key-table.js';

const path = 'docs/operations.md';
const [start, end] = ['<!-- keys -->\n', '\n<!-- /keys -->'];
const page = readFileSync(path, 'utf8');
const [head, tail] = [page.split(start)[0], page.split(end)[1]];
if (head === undefined || tail === undefined) throw new Error(`${path}: expected ${start.trim()} ... ${end.trim()}`);
writeFileSync(path, head + start + configKeyTable() + end + tail);
