/**
 * Rewrites what the reference accepts, or its documentation shows, into the form that the schemas know. Done before
 * validation, in place. Silent where both mean the same; a warning where something is ignored or read differently.
 */
import { parseGoDuration } from './duration.js';
import { isJsonObject, type JsonObject, type JsonPath, type JsonValue } from './json-source.js';
import { childSchema, entryNames, type Schema } from './schema-walk.js';

export type Warn = (path: JsonPath, what: string) => void;

/** Absent for the reference when empty. */
const EMPTY_IS_ABSENT: JsonPath[] = [
  ['main', 'addr'],
  ['main', 'https-cert-file'],
  ['main', 'https-key-file'],
  ['main', 'jwt-public-key'],
  ['main', 'user'],
  ['main', 'group'],
  ['main', 'backend-url'],
  ['main', 'debug', 'dump-to-file'],
  ['metric-store', 'checkpoints', 'file-format'],
  ['metric-store', 'checkpoint-interval'],
  ['nats', 'address'],
  ['nats', 'username'],
  ['nats', 'password'],
  ['nats', 'creds-file'],
];
/** In place of a retention of zero or less, which the reference takes as "keep everything": 100 years. */
const FOR_EVER = '876000h';

/** @param root the whole file; changed in place */
export function rewriteReferenceForms(root: JsonObject, schema: Schema, warn: Warn): void {
  if (root.nats === null) delete root.nats;
  if (isJsonObject(root.nats)) {
    dropNulls(root.nats);
    rename(root.nats, 'creds-file-path', 'creds-file');
  }
  for (const section of ['main', 'metric-store', 'nats']) {
    matchCase([section], root[section], childSchema(schema, section), warn);
  }
  for (const path of EMPTY_IS_ABSENT) {
    const parent = at(root, path.slice(0, -1));
    const key = String(path.at(-1));
    if (isJsonObject(parent) && parent[key] === '') delete parent[key];
  }
  if (isJsonObject(root.metrics)) {
    for (const metric of Object.values(root.metrics)) {
      if (isJsonObject(metric) && metric.aggregation === '') metric.aggregation = null;
    }
  }
  const store = root['metric-store'];
  if (isJsonObject(store)) rewriteStore(store, warn);
}

function rewriteStore(store: JsonObject, warn: Warn): void {
  const { checkpoints, cleanup } = store;
  if (isJsonObject(checkpoints)) {
    if (checkpoints.interval !== undefined) {
      warn(
        ['metric-store', 'checkpoints', 'interval'],
        'is read as metric-store.checkpoint-interval; please rename it',
      );
      rename(checkpoints, 'interval', 'checkpoint-interval');
      store['checkpoint-interval'] ??= checkpoints['checkpoint-interval'] ?? null;
      delete checkpoints['checkpoint-interval'];
    }
    const format = checkpoints['file-format'];
    if (typeof format === 'string' && format !== 'wal' && format !== 'json') {
      warn(['metric-store', 'checkpoints', 'file-format'], `${JSON.stringify(format)} is not known; "wal" is used`);
      checkpoints['file-format'] = 'wal';
    }
  }
  if (isJsonObject(cleanup) && cleanup.interval !== undefined) {
    warn(['metric-store', 'cleanup', 'interval'], 'is ignored: cleanup runs once every retention-in-memory');
    delete cleanup.interval;
  }
  const retention = store['retention-in-memory'];
  if (typeof retention === 'string' && (parseGoDuration(retention) ?? 1) <= 0) {
    warn(
      ['metric-store', 'retention-in-memory'],
      `${JSON.stringify(retention)} keeps everything: nothing is ever freed`,
    );
    store['retention-in-memory'] = FOR_EVER;
  }
  if (Number.isInteger(store['memory-cap']) && Number(store['memory-cap']) < 0) {
    warn(['metric-store', 'memory-cap'], 'is below zero; 0 (no cap) is used');
    store['memory-cap'] = 0;
  }
  if (Number.isInteger(store['num-workers']) && Number(store['num-workers']) < 0) {
    warn(['metric-store', 'num-workers'], 'is below zero; the default is used');
    delete store['num-workers'];
  }
}

/** Go matches keys without regard to case where the exact one is absent. */
function matchCase(path: JsonPath, value: JsonValue | undefined, schema: Schema | undefined, warn: Warn): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) matchCase([...path, index], item, childSchema(schema, index), warn);
  }
  if (!isJsonObject(value)) return;
  const names = entryNames(schema);
  for (const key of Object.keys(value)) {
    const name = names.find((candidate) => candidate === key.toLowerCase());
    if (name !== undefined && name !== key && !Object.hasOwn(value, name)) {
      warn([...path, key], `is read as ${name}; keys are written in lower case`);
      rename(value, key, name);
    }
  }
  for (const [key, member] of Object.entries(value)) matchCase([...path, key], member, childSchema(schema, key), warn);
}

function rename(object: JsonObject, from: string, to: string): void {
  const value = object[from];
  if (value === undefined || Object.hasOwn(object, to)) return;
  object[to] = value;
  delete object[from];
}

function dropNulls(object: JsonObject): void {
  for (const [key, value] of Object.entries(object)) if (value === null) delete object[key];
}

function at(root: JsonValue, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const part of path) value = isJsonObject(value) ? value[part] : undefined;
  return value;
}
