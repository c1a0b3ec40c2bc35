/** Looks into valibot schemas by key, for what validation itself does not tell: all unknown keys, and descriptions. */
import * as v from 'valibot';
import { isJsonObject, type JsonPath, type JsonValue } from './json-source.js';

export type Schema = v.GenericSchema;

/** Keys that reach into prototypes: valibot skips them in a record, and no object of a configuration may have them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);

/** The schema below wrappers (optional, pipe): one that looks at the value itself. */
function unwrap(schema: Schema): Schema {
  if ('wrapped' in schema) return unwrap(schema.wrapped as Schema);
  if ('pipe' in schema) return unwrapPipe(schema);
  return schema;
}

function unwrapPipe(schema: Schema): Schema {
  const first = (schema as Schema & { pipe: readonly Schema[] }).pipe[0];
  return first === undefined || first === schema ? schema : unwrap(first);
}

/** Names of an object schema's keys; empty for any other schema. */
export function entryNames(schema: Schema): string[] {
  const inner = unwrap(schema);
  return 'entries' in inner ? Object.keys(inner.entries as v.ObjectEntries) : [];
}

/** The schema of a member or item; undefined when the schema knows none by that name. */
export function childSchema(schema: Schema, key: string | number): Schema | undefined {
  const inner = unwrap(schema);
  if ('entries' in inner) {
    const entries = inner.entries as Record<string, Schema>;
    return Object.hasOwn(entries, key) ? entries[key] : undefined;
  }
  if (inner.type === 'record' && 'value' in inner) return inner.value as Schema;
  if (inner.type === 'array' && 'item' in inner) return inner.item as Schema;
  return undefined;
}

export interface UnknownKey {
  path: JsonPath;
  /** Keys that are known in its place; empty where any name but a few would do. */
  known: string[];
}

/** All keys that no schema names. Keys of the top level are listed too: the caller decides what they are worth. */
export function unknownKeys(schema: Schema, value: JsonValue, path: JsonPath = []): UnknownKey[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const child = childSchema(schema, index);
      return child === undefined ? [] : unknownKeys(child, item, [...path, index]);
    });
  }
  if (!isJsonObject(value)) return [];
  const known = entryNames(schema);
  const isContainer = known.length > 0 || unwrap(schema).type === 'record';
  return Object.entries(value).flatMap(([key, member]) => {
    const child = FORBIDDEN_KEYS.has(key) ? undefined : childSchema(schema, key);
    if (child !== undefined) return unknownKeys(child, member, [...path, key]);
    return isContainer ? [{ path: [...path, key], known }] : [];
  });
}

/** Where a list stands in place of an object, which valibot takes for one without members. */
export function misplacedLists(schema: Schema, value: JsonValue, path: JsonPath = []): JsonPath[] {
  const inner = unwrap(schema);
  if (Array.isArray(value) && ('entries' in inner || inner.type === 'record')) return [path];
  const members = Array.isArray(value) ? [...value.entries()] : isJsonObject(value) ? Object.entries(value) : [];
  return members.flatMap(([key, member]) => {
    const child = FORBIDDEN_KEYS.has(String(key)) ? undefined : childSchema(schema, key);
    return child === undefined ? [] : misplacedLists(child, member, [...path, key]);
  });
}

/** The description closest to the value at the path; undefined where there is none. */
export function describe(schema: Schema, path: JsonPath): string | undefined {
  let inner: Schema | undefined = schema;
  for (const key of path) inner = inner === undefined ? undefined : childSchema(inner, key);
  if (inner === undefined) return undefined;
  return v.getDescription(inner) ?? ('wrapped' in inner ? v.getDescription(inner.wrapped as Schema) : undefined);
}
