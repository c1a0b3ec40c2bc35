import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configKeyTable } from '../../src/config/key-table.js';

it('is in docs/operations.md as the schemas make it (else: node scripts/config-table.js)', () => {
  expect(readFileSync('docs/operations.md', 'utf8')).toContain(`<!-- keys -->\n${configKeyTable()}\n<!-- /keys -->`);
});

it('lists keys with type, meaning, and whether they must be there', () => {
  const rows = configKeyTable().split('\n');
  expect(rows).toContain('| `metrics.NAME.frequency` | integer | Seconds between samples. **Required.** |');
  expect(rows.filter((row) => row.includes('Required'))).toHaveLength(8);
  expect(rows.find((row) => row.startsWith('| `metrics.NAME.precision`'))).toContain('"double", "single", integer');
});
