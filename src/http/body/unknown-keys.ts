/**
 * Keys of a query that mean nothing. The protocol ignores them, so a misspelt one gives an answer to another question: a header
 * says so, and the answer stays as it is.
 */

const QUERY_KEYS = [
  'metric',
  'host',
  'type',
  'type-ids',
  'subtype',
  'subtype-ids',
  'aggreg',
  'resolution',
  'scale-by',
] as const;
const BODY_KEYS = [
  'cluster',
  'from',
  'to',
  'queries',
  'for-all-nodes',
  'with-stats',
  'with-data',
  'with-padding',
] as const;
/** What people write instead. */
const MEANT: Readonly<Record<string, string>> = {
  hostname: 'host',
  node: 'host',
  metrics: 'metric',
  name: 'metric',
  'type-id': 'type-ids',
  ids: 'type-ids',
  stype: 'subtype',
  'stype-id': 'subtype-ids',
  'stype-ids': 'subtype-ids',
  'subtype-id': 'subtype-ids',
  aggregate: 'aggreg',
  aggregation: 'aggreg',
  scale: 'scale-by',
  start: 'from',
  end: 'to',
  query: 'queries',
};
/** Queries that are looked at, and keys that are named: a dashboard repeats the same mistake. */
const MAX_QUERIES = 100;
const MAX_NAMED = 3;
/** Header values are of printable ASCII. */
const PLAIN_KEY = /^[\w.:-]{1,64}$/;

/** What is to be said of a query's keys, e.g. `queries[0].hostname is ignored, host is meant`; undefined: nothing. */
export function unknownKeyHint(body: object): string | undefined {
  const hints = hintsOf(body, BODY_KEYS, '');
  const { queries } = body as { queries?: unknown };
  if (Array.isArray(queries)) {
    for (const [index, query] of queries.slice(0, MAX_QUERIES).entries()) {
      if (hints.length >= MAX_NAMED) break;
      if (typeof query === 'object' && query !== null) hints.push(...hintsOf(query, QUERY_KEYS, `queries[${index}].`));
    }
  }
  return hints.length === 0 ? undefined : hints.slice(0, MAX_NAMED).join('; ');
}

function hintsOf(object: object, known: readonly string[], path: string): string[] {
  const hints: string[] = [];
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    const simple = key.toLowerCase().replace(/[ _]/g, '-');
    const meant = known.includes(simple) ? simple : MEANT[simple];
    const hint = meant !== undefined && known.includes(meant) ? `, ${meant} is meant` : '';
    hints.push(`${path}${PLAIN_KEY.test(key) ? key : 'a key'} is ignored${hint}`);
  }
  return hints;
}
