/** A table as CSV (RFC 4180): shortest digits that read back as the same double, times in RFC 3339, nothing for null. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { QUERY, type Table, TIMESTAMP, timeOf, VALUE } from './table.js';

/** Characters of a piece. */
const PIECE = 64 << 10;
/** Rows after which a piece may end. */
const ROWS = 256;

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function row(fields: readonly string[]): string {
  return `${fields.join(',')}\r\n`;
}

/** What is no plain number as all readers know it; `String` has no sign for a zero. */
function digits(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The text in pieces. */
export async function* csvText(table: Table): AsyncGenerator<Uint8Array> {
  const { hasQueries, columns } = table;
  const names = [...columns.map(({ name }) => name), TIMESTAMP, VALUE];
  let text = row((hasQueries ? [QUERY, ...names] : names).map(quoted));
  const texts = columns.map((column) => column.texts.map(quoted));
  for await (const run of table.runs) {
    const { query, values } = run;
    const fixed = columns.map((_, column) => texts[column]?.[run.texts[column] ?? -1] ?? '');
    const start = (hasQueries ? [String(query), ...fixed] : fixed).map((field) => `${field},`).join('');
    for (let at = 0; at < values.length; at++) {
      text += `${start}${new Date(timeOf(run, at)).toISOString()},${digits(values[at] ?? 0)}\r\n`;
      if (at % ROWS !== 0 || text.length < PIECE) continue;
      yield Buffer.from(text);
      text = '';
      await nextTurn();
    }
  }
  yield Buffer.from(text);
}
