/** The configuration's keys as a Markdown table, made from the schemas, so that the documentation cannot drift. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { configSchema } from './schema.js';

interface JsonSchema {
  description?: string;
  type?: string;
  enum?: (string | number)[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  required?: string[];
  items?: JsonSchema;
}

/** One row a key: path, type, meaning; required ones say so. Objects are rows only through what is in them. */
export function configKeyTable(): string {
  const schema = toJsonSchema(configSchema, { errorMode: 'ignore' }) as JsonSchema;
  return ['| key | type | meaning |', '|---|---|---|', ...rowsOf(schema, '')].join('\n');
}

function rowsOf(schema: JsonSchema, path: string): string[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) =>
    rowsOfKey(child, path + key, required.has(key)),
  );
}

function rowsOfKey(schema: JsonSchema, path: string, isRequired: boolean): string[] {
  const { additionalProperties, items } = schema;
  if (typeof additionalProperties === 'object') return rowsOf(objectOf(additionalProperties), `${path}.NAME.`);
  if (items?.properties !== undefined) return rowsOf(items, `${path}[].`);
  if (schema.properties !== undefined) return rowsOf(schema, `${path}.`);
  const required = isRequired ? ' **Required.**' : '';
  return [`| \`${path}\` | ${typeText(schema)} | ${schema.description ?? ''}.${required} |`];
}

/** The object among the alternatives of what may also be null. */
function objectOf(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find(({ properties }) => properties !== undefined) ?? schema;
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(', ');
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  return schema.type ?? 'any';
}
