/** A table as CSV (RFC 4180): shortest digits that read back as the same double, times in RFC 3339, nothing for null. */
import { nextTurn } from '../base/turns.js';
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

/** Times of which the texts are kept: the series of a host have the same ones. */
const KEPT_TIMES = 1 << 16;

/** RFC 3339 of unix milliseconds. */
class TimeTexts {
  readonly #texts = new Map<number, string>();

  of(time: number): string {
    let text = this.#texts.get(time);
    if (text === undefined) {
      text = new Date(time).toISOString();
      if (this.#texts.size === KEPT_TIMES) this.#texts.clear();
      this.#texts.set(time, text);
    }
    return text;
  }
}

/** The text in pieces. */
export async function* csvText(table: Table): AsyncGenerator<Uint8Array> {
  const { hasQueries, columns } = table;
  const names = [...columns.map(({ name }) => name), TIMESTAMP, VALUE];
  let text = row((hasQueries ? [QUERY, ...names] : names).map(quoted));
  const times = new TimeTexts();
  const texts = columns.map((column) => column.texts.map(quoted));
  /** Milliseconds that the text at hand has taken. */
  let spent = 0;
  for await (const run of table.runs) {
    let since = performance.now();
    const { query, values } = run;
    const fixed = columns.map((_, column) => texts[column]?.[run.texts[column] ?? -1] ?? '');
    const start = (hasQueries ? [String(query), ...fixed] : fixed).map((field) => `${field},`).join('');
    for (let at = 0; at < values.length; at++) {
      text += `${start}${times.of(timeOf(run, at))},${digits(values[at] ?? 0)}\r\n`;
      if (at % ROWS !== 0 || text.length < PIECE) continue;
      const bytes = Buffer.from(text);
      text = '';
      spent += performance.now() - since;
      yield bytes;
      await nextTurn(spent);
      spent = 0;
      since = performance.now();
    }
    spent += performance.now() - since;
  }
  yield Buffer.from(text);
}
