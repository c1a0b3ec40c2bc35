import * as v from 'valibot';
import { HttpError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { HttpContext } from '../route.js';
import { type Body, readBody } from './body.js';
import { jsonErrorPosition } from './json-position.js';

/** Parsing holds the main thread: 16 MiB are 150 000 queries or a fifth of a second. */
const MAX_JSON_BYTES = 16 << 20;

/** The text as a value, or 400 with the place of the error. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const position = jsonErrorPosition(text);
    if (position >= text.length) {
      const what = text.trim() === '' ? 'is empty, a JSON value was expected' : 'ends in the middle of a JSON value';
      throw new HttpError(400, `the request body ${what}`, [], { cause });
    }
    const near = JSON.stringify(text.slice(position, position + 20));
    throw new HttpError(400, `the request body is not JSON at position ${position}, near ${near}`, [], { cause });
  }
}

/** `queries[3].type-ids[0]`, or `the request body` for the value itself. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  let path = '';
  for (const { key } of issue.path ?? []) {
    path += typeof key === 'number' ? `[${key}]` : `${path === '' ? '' : '.'}${String(key)}`;
  }
  return path === '' ? 'the request body' : path;
}

const expectations: Record<string, string> = {
  integer: 'an integer',
  check: 'an object',
  object: 'an object',
  loose_object: 'an object',
  array: 'an array',
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
};

function expectedBy(issue: v.BaseIssue<unknown>): string {
  // Of a strict object only an unknown key is reported like this.
  if (issue.expected === 'never') return 'no such key';
  if (issue.type === 'strict_object') return 'an object';
  return expectations[issue.type] ?? issue.expected ?? 'another value';
}

/** Clients read errors, so what they sent is repeated only in part. */
const MAX_MESSAGE = 300;

/** The value as the schema's output, or 400 with the path of the first key that does not fit. */
export function validate<const S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const message = `${pathOf(issue)}: expected ${expectedBy(issue)}, got ${issue.received}`;
  throw new HttpError(400, message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}...` : message);
}

/** The text of a JSON body, on GET as well as on POST. */
export function readJsonBody(exchange: Exchange, context: HttpContext): Promise<Body> {
  const limit = Math.min(MAX_JSON_BYTES, context.config.store.maxBodySize);
  return readBody(exchange, limit, (bytes) => new ArrayBuffer(bytes), context.budget);
}

/** Parses and checks a JSON body. @throws HttpError 400 */
export function jsonOf<const S extends v.GenericSchema>({ buffer, length }: Body, schema: S): v.InferOutput<S> {
  return validate(schema, parseJson(Buffer.from(buffer, 0, length).toString()));
}

/** Reads, parses and checks a JSON body. */
export async function readJson<const S extends v.GenericSchema>(
  exchange: Exchange,
  context: HttpContext,
  schema: S,
): Promise<v.InferOutput<S>> {
  return jsonOf(await readJsonBody(exchange, context), schema);
}
