/** Answers in columns: which form a client wants, and sending it. The writers are read when they are first needed. */
import type { Table } from '../table/table.js';
import { HttpError } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Parameter } from './route.js';
import { sendPieces } from './stream.js';

const mediaTypes = {
  json: 'application/json',
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv',
} as const;

export type Format = keyof typeof mediaTypes;
export type ColumnFormat = Exclude<Format, 'json'>;

const formats = Object.keys(mediaTypes) as Format[];

function isFormat(text: string): text is Format {
  return (formats as string[]).includes(text);
}

/** The formats that a part of an Accept header takes. JSON comes first. */
function takenBy(range: string): Format | undefined {
  if (range === '*/*') return 'json';
  return formats.find((format) => range === mediaTypes[format] || range === `${mediaTypes[format].split('/', 1)[0]}/*`);
}

/** The format that an Accept header prefers; of equal ones the first. Undefined: it takes none. */
function accepted(header: string): Format | undefined {
  let best: Format | undefined;
  let bestQuality = 0;
  for (const part of header.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    const format = takenBy(range);
    if (format === undefined || !(quality > bestQuality)) continue;
    best = format;
    bestQuality = quality;
  }
  return best;
}

/**
 * The form of the answer: the parameter `format` says it, else the Accept header; JSON where neither is there.
 * @param parameter empty: it is not there.
 * @throws HttpError 406
 */
export function formatOf({ incoming }: Exchange, parameter: string): Format {
  if (parameter !== '') {
    if (isFormat(parameter)) return parameter;
    throw new HttpError(406, `format ${JSON.stringify(parameter)}: expected one of ${formats.join(', ')}`);
  }
  const { accept = '' } = incoming.headers;
  if (accept.trim() === '') return 'json';
  const format = accepted(accept);
  if (format !== undefined) return format;
  throw new HttpError(406, `Accept ${JSON.stringify(accept)}: expected one of ${Object.values(mediaTypes).join(', ')}`);
}

/** What the OpenAPI document says about it. */
export const formatParameter: Parameter = {
  name: 'format',
  in: 'query',
  description: 'json, arrow (IPC stream), parquet or csv; the Accept header says the same. Absent: json',
  schema: { type: 'string', enum: formats },
};

/** Media types of an answer that has columns as well as JSON. */
export const TABLE_TYPES: readonly string[] = Object.values(mediaTypes);

export const NOT_ACCEPTABLE = { description: 'neither JSON nor Arrow, Parquet or CSV is accepted' };

/** Bytes of a header's value; what is longer is left out. */
const MAX_HEADER = 4096;

/** Notes of a table as headers: `cc.errors` is `X-CC-Errors`. */
function noteHeaders({ notes }: Table): string[] {
  const headers: string[] = [];
  for (const [key, value] of notes) {
    const name = `X-${key.split('.').map(capital).join('-')}`;
    // Headers are ASCII.
    const text = value.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    headers.push(name, text.length > MAX_HEADER ? '["too many for a header; the other formats have them"]' : text);
  }
  return headers;
}

function capital(word: string): string {
  return word === 'cc' ? 'CC' : word.charAt(0).toUpperCase() + word.slice(1);
}

async function written(format: ColumnFormat, table: Table): Promise<AsyncGenerator<Uint8Array>> {
  if (format === 'arrow') return (await import('../table/arrow.js')).arrowStream(table);
  if (format === 'csv') return (await import('../table/csv.js')).csvText(table);
  const { parquetOf } = await import('../table/parquet.js');
  return parquetOf(table);
}

/** Answers 200 with a table, piece by piece as the client reads. */
export async function sendTable(exchange: Exchange, format: ColumnFormat, table: Table): Promise<void> {
  const headers = format === 'csv' ? noteHeaders(table) : [];
  await sendPieces(exchange, await written(format, table), mediaTypes[format], ['Vary', 'Accept', ...headers]);
}
