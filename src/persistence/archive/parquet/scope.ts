/** Prefixes of level names that the archive splits into scope and id, as the reference does. */
const SCOPES: readonly (readonly [prefix: string, scope: string])[] = [
  ['socket', 'socket'],
  ['memoryDomain', 'memoryDomain'],
  ['core', 'core'],
  ['hwthread', 'hwthread'],
  ['cpu', 'hwthread'],
  ['accelerator', 'accelerator'],
];

const DIGIT = /^\d/;

export interface Scope {
  scope: string;
  scopeId: string;
}

/**
 * What the archive's columns `scope` and `scope_id` say about a series: the name of its innermost level split
 * (`hwthread7` -> `hwthread`, `7`), any other name whole with an empty id, `node` for the host itself.
 */
export function scopeOf(levels: readonly string[]): Scope {
  const name = levels.at(-1);
  if (name === undefined) return { scope: 'node', scopeId: '' };
  for (const [prefix, scope] of SCOPES) {
    if (!name.startsWith(prefix)) continue;
    const scopeId = name.slice(prefix.length);
    if (DIGIT.test(scopeId)) return { scope, scopeId };
  }
  return { scope: name, scopeId: '' };
}
