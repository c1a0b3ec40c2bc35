/**
 * Whether an answer is the recorded one. A step is compared with its `ours` where it has one (the answer must differ there,
 * `why` says how), else with `expect`. Numbers: data within 0.0011, statistics within 0.011, everything else exact; absent
 * data and all-null data are the same.
 */

/** One recorded request with its answer. */
export interface Step {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | null;
  expect: { status: number; body: string };
  ours?: Ours;
}

interface Ours {
  why: string;
  /** Any of them is right; default: the recorded one. */
  status?: number[];
  compare?: 'none' | 'freed' | 'empty' | 'error' | 'keys';
  same_as_step?: number;
  results?: Series[][];
  debug?: unknown;
}

export interface Answer {
  status: number;
  body: string;
}

interface Series {
  error?: string;
  data?: (number | null)[] | null;
  from?: number;
  to?: number;
  resolution?: number;
  avg?: number | null;
  min?: number | null;
  max?: number | null;
}

interface Results {
  queries?: { metric?: string; host?: string }[];
  results: Series[][];
}

type Tree = { [name: string]: Tree } | { start: number; end: number }[];

const DATA_TOLERANCE = 0.0011;
const STATISTICS_TOLERANCE = 0.011;

/** What is different, or undefined. @param steps of the scenario: `same_as_step` points into them. */
export function difference(step: Step, got: Answer, steps: readonly Step[]): string | undefined {
  const { ours } = step;
  const mode = ours?.compare;
  const want = (ours?.same_as_step !== undefined && steps[ours.same_as_step]?.expect) || step.expect;
  const { status, body } = got;
  const allowed = ours?.status ?? (mode === 'none' ? undefined : [want.status]);
  if (allowed && !allowed.includes(status)) return `status ${status}, want ${allowed}: ${body.slice(0, 160)}`;
  switch (mode) {
    case 'none':
      return undefined;
    case 'freed':
      return /^buffers freed: \d+\n?$/.test(body) ? undefined : `body ${quote(body)}`;
    case 'empty':
      return status === 200 && Object.keys(tree(body)).length ? `stored: ${quote(body)}` : undefined;
  }
  if (status >= 400 || mode === 'error') return errorDifference(body);
  if (step.path.includes('/debug')) return treeDifference(step, want.body, body);
  if (ours?.results) return resultsDifference((JSON.parse(body) as Results).results, ours.results);
  if (want.body.startsWith('{') && want.body.includes('"results"')) return answerDifference(body, want.body);
  if (want.body.trim() === '') return body.trim() === '' ? undefined : `body ${quote(body)}, want none`;
  const same = want.body.startsWith('{')
    ? canonical(JSON.parse(body)) === canonical(JSON.parse(want.body))
    : body === want.body;
  return same ? undefined : `body ${quote(body)}, want ${quote(want.body)}`;
}

function errorDifference(body: string): string | undefined {
  try {
    const error = JSON.parse(body) as { status?: unknown; error?: unknown };
    return error.status && error.error ? undefined : `error body lacks status or error: ${quote(body)}`;
  } catch {
    return `error body is not JSON: ${quote(body)}`;
  }
}

function treeDifference({ ours }: Step, want: string, body: string): string | undefined {
  const got = tree(body);
  if (ours && 'debug' in ours) return unequal(spans(got), ours.debug);
  if (ours?.compare === 'keys') return unequal(keys(got), keys(tree(want)));
  return unequal(spans(got), spans(tree(want)));
}

function answerDifference(body: string, wanted: string): string | undefined {
  const got = JSON.parse(body) as Results;
  const want = JSON.parse(wanted) as Results;
  if (!want.queries?.length) return resultsDifference(got.results, want.results);
  if (got.queries?.length !== want.queries.length) return `queries are not echoed as in ${quote(wanted)}`;
  return resultsDifference(byHost(got), byHost(want));
}

function resultsDifference(got: Series[][], want: Series[][]): string | undefined {
  if (got.length !== want.length) return `${got.length} results, want ${want.length}`;
  for (const [i, wanted] of want.entries()) {
    const list = got[i] ?? [];
    if (list.length !== wanted.length) return `results[${i}] has ${list.length} series, want ${wanted.length}`;
    for (const [j, series] of wanted.entries()) {
      const why = seriesDifference(list[j] ?? {}, series);
      if (why) return `results[${i}][${j}]: ${why}`;
    }
  }
  return undefined;
}

function seriesDifference(got: Series, want: Series): string | undefined {
  if (Boolean(got.error) !== Boolean(want.error)) return `error: got ${got.error}, want ${want.error}`;
  if (want.error) return undefined;
  const data = got.data ?? [];
  const wanted = want.data ?? [];
  if (data.every(isNull) && wanted.every(isNull)) return undefined;
  if (data.length !== wanted.length) return `${data.length} samples, want ${wanted.length}`;
  const i = wanted.findIndex((value, k) => !isClose(data[k], value, DATA_TOLERANCE));
  if (i >= 0) return `data[${i}] = ${data[i]}, want ${wanted[i]}`;
  for (const key of ['from', 'to', 'resolution'] as const) {
    if (got[key] !== want[key]) return `${key} = ${got[key]}, want ${want[key]}`;
  }
  for (const key of ['avg', 'min', 'max'] as const) {
    if (!isClose(got[key], want[key], STATISTICS_TOLERANCE)) return `${key} = ${got[key]}, want ${want[key]}`;
  }
  return undefined;
}

function isNull(value: unknown): boolean {
  return value === null;
}

function isClose(a: number | null | undefined, b: number | null | undefined, tolerance: number): boolean {
  if (a == null || b == null) return (a ?? null) === (b ?? null);
  return Math.abs(a - b) <= tolerance + 1e-9 * Math.abs(b);
}

/** Results in an order that does not depend on which host came first. */
function byHost({ queries, results }: Results): Series[][] {
  const named = (queries ?? []).map((q, i) => ({ name: JSON.stringify([q.metric, q.host]), list: results[i] ?? [] }));
  return named.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ list }) => list);
}

/** The reference's dump has commas in front of closing brackets. */
function tree(body: string): Tree {
  return (JSON.parse(body.replace(/,(\s*[}\]])/g, '$1')) as { data: Tree }).data;
}

/** Where data is, however it is cut into blocks. */
function spans(node: Tree): unknown {
  if (!Array.isArray(node)) return Object.fromEntries(Object.entries(node).map(([name, below]) => [name, spans(below)]));
  const joined: [number, number][] = [];
  for (const { start, end } of [...node].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

function keys(node: Tree): unknown {
  if (Array.isArray(node)) return null;
  return Object.fromEntries(Object.entries(node).map(([name, below]) => [name, keys(below)]));
}

function unequal(got: unknown, want: unknown): string | undefined {
  const [a, b] = [canonical(got), canonical(want)];
  return a === b ? undefined : `${quote(a)}, want ${quote(b)}`;
}

/** JSON with the members of objects in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 160));
}
