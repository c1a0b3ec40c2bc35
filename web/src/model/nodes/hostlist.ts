/**
 * Lists of nodes as Slurm writes them: `f[0001-0004,0007],g12,rack[1-2]n[01-16]`.
 *
 *     list  = item { "," item }
 *     item  = { text | "[" range { "," range } "]" }
 *     range = digits [ "-" digits ]          zeros in front set the width
 */

/** A list that is longer is a mistake or an attack on the browser's memory. */
export const MAX_HOSTS = 65_536;

export class HostlistError extends Error {
  override readonly name = 'HostlistError';
  /** @param position 0-based place in the text. */
  constructor(
    message: string,
    readonly position: number,
  ) {
    super(message);
  }
}

/** All names in the order of the text, each once. Blanks separate like commas. @throws HostlistError */
export function expandHostlist(text: string): string[] {
  const names = new Set<string>();
  for (const { start, end } of items(text)) {
    for (const name of expandItem(text, start, end)) {
      names.add(name);
      if (names.size > MAX_HOSTS) throw new HostlistError(`more than ${MAX_HOSTS} nodes`, start);
    }
  }
  return [...names];
}

/** Where the items are: cut at commas and blanks outside of brackets. */
function items(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = 0;
  let open = -1;
  for (let i = 0; i <= text.length; i++) {
    const character = text[i];
    if (character === '[') {
      if (open >= 0) throw new HostlistError('a bracket within brackets', i);
      open = i;
    } else if (character === ']') {
      if (open < 0) throw new HostlistError('"]" without "["', i);
      open = -1;
    } else if (character === undefined || (open < 0 && /[,\s]/.test(character))) {
      if (i > start) found.push({ start, end: i });
      start = i + 1;
    }
  }
  if (open >= 0) throw new HostlistError('"[" is not closed', open);
  return found;
}

function expandItem(text: string, start: number, end: number): string[] {
  let names = [''];
  let at = start;
  while (at < end) {
    const bracket = text.indexOf('[', at);
    const until = bracket < 0 || bracket >= end ? end : bracket;
    const literal = text.slice(at, until);
    if (literal !== '') names = names.map((name) => name + literal);
    if (until === end) break;
    const close = text.indexOf(']', until);
    const numbers = expandRanges(text, until + 1, close);
    if (names.length * numbers.length > MAX_HOSTS) throw new HostlistError(`more than ${MAX_HOSTS} nodes`, until);
    names = names.flatMap((name) => numbers.map((number) => name + number));
    at = close + 1;
  }
  return names;
}

function expandRanges(text: string, start: number, end: number): string[] {
  const numbers: string[] = [];
  let at = start;
  for (const part of text.slice(start, end).split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (match === null) throw new HostlistError(`expected a number or a range such as 01-16, got "${part}"`, at);
    const [, first = '', last = first] = match;
    const [from, to] = [Number(first), Number(last)];
    if (to < from) throw new HostlistError(`the range ${part.trim()} runs backwards`, at);
    if (numbers.length + to - from >= MAX_HOSTS) throw new HostlistError(`more than ${MAX_HOSTS} nodes`, at);
    for (let number = from; number <= to; number++) numbers.push(String(number).padStart(first.length, '0'));
    at += part.length + 1;
  }
  return numbers;
}

/** Names that differ in one number. */
interface Group {
  prefix: string;
  suffix: string;
  /** Digits that zeros fill up to; 0: as many as it takes. */
  width: number;
  /** Undefined: a name without digits, which is the prefix. */
  numbers: number[] | undefined;
}

/** A short list of this form for the names: neighbours in number become ranges. The order of the first ones is kept. */
export function compressHostlist(names: readonly string[]): string {
  const groups = new Map<string, Group>();
  for (const name of new Set(names)) {
    // The last run of digits varies; what is before and after it makes the group. More digits are no exact number.
    const [, prefix = name, digits, suffix = ''] = /^(.*?)(\d{1,15})(\D*)$/.exec(name) ?? [];
    // 7 and 07 are different names; 7 and 12 may share a list, 007 and 12 may not.
    const width = digits?.startsWith('0') ? digits.length : 0;
    const key = JSON.stringify([prefix, suffix, digits === undefined ? -1 : width]);
    const group = groups.get(key) ?? { prefix, suffix, width, numbers: digits === undefined ? undefined : [] };
    if (digits !== undefined) group.numbers?.push(Number(digits));
    groups.set(key, group);
  }
  return joinWidths([...groups.values()])
    .map(groupText)
    .join(',');
}

/** `f0999` has the width 4, `f1000` none: it joins the group whose width it fills. */
function joinWidths(groups: Group[]): Group[] {
  for (const group of groups) {
    if (group.width === 0 || group.numbers === undefined) continue;
    const free = groups.find(
      ({ prefix, suffix, width, numbers }) =>
        width === 0 && numbers !== undefined && prefix === group.prefix && suffix === group.suffix,
    );
    if (free?.numbers === undefined) continue;
    const fits = (number: number): boolean => String(number).length === group.width;
    group.numbers.push(...free.numbers.filter(fits));
    free.numbers = free.numbers.filter((number) => !fits(number));
  }
  return groups.filter(({ numbers }) => numbers === undefined || numbers.length > 0);
}

function groupText({ prefix, suffix, width, numbers }: Group): string {
  if (numbers === undefined) return prefix;
  const pad = (number: number): string => String(number).padStart(width, '0');
  const parts = rangesOf(numbers).map(([from, to]) => (from === to ? pad(from) : `${pad(from)}-${pad(to)}`));
  const single = numbers.length === 1;
  return `${prefix}${single ? parts[0] : `[${parts.join(',')}]`}${suffix}`;
}

/** Runs of neighbours, both ends included. */
function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
