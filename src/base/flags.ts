/** Go's `flag` package as a table: `-x`/`--x`, `-x v`, `-x=v`, booleans only as `-x` or `-x=false`. */

interface FlagBase<Kind extends string, Value> {
  kind: Kind;
  default: Value;
  /** One sentence for the usage text. */
  usage: string;
  /** What the usage text shows as the value, e.g. `FILE`; default: the kind. */
  placeholder?: string;
}

export type Flag =
  | FlagBase<'bool', boolean>
  | FlagBase<'string', string>
  /** A whole number. */
  | FlagBase<'int', number>
  | FlagBase<'float', number>;

export type FlagTable = Readonly<Record<string, Flag>>;

export type FlagValues<Table extends FlagTable> = {
  [Name in keyof Table]: Table[Name]['kind'] extends 'bool'
    ? boolean
    : Table[Name]['kind'] extends 'string'
      ? string
      : number;
};

export type ParsedFlags<Table extends FlagTable> =
  | {
      kind: 'values';
      values: FlagValues<Table>;
      /** Names of the flags that were on the command line. */
      given: ReadonlySet<string>;
      /** What follows the flags: everything from the first argument without a dash, or after `--`. */
      rest: string[];
    }
  /** `-h` or `-help`: print the usage text and exit 0. */
  | { kind: 'help'; usage: string }
  /** Print message and usage text to stderr and exit 2. */
  | { kind: 'usageError'; message: string; usage: string };

const BOOLEANS = new Map<string, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/**
 * Reads `argv` (without node and script) by the table. Never throws.
 * @param command what the usage text calls the program
 */
export function parseGoFlags<Table extends FlagTable>(
  table: Table,
  argv: readonly string[],
  command: string,
): ParsedFlags<Table> {
  const values: Record<string, boolean | string | number> = {};
  for (const [name, flag] of Object.entries(table)) values[name] = flag.default;
  const given = new Set<string>();
  const usageError = (message: string): ParsedFlags<Table> => ({
    kind: 'usageError',
    message,
    usage: usageText(table, command),
  });

  let at = 0;
  for (; at < argv.length; at++) {
    const argument = argv[at] ?? '';
    if (argument === '--') {
      at++;
      break;
    }
    if (!argument.startsWith('-') || argument === '-') break;
    const [, name = '', inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === '' || name.startsWith('-')) return usageError(`bad flag syntax: ${argument}`);
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (flag === undefined) {
      if (name === 'h' || name === 'help') return { kind: 'help', usage: usageText(table, command) };
      return usageError(`flag provided but not defined: -${name}`);
    }
    let text = inline;
    if (text === undefined && flag.kind === 'bool') text = 'true';
    if (text === undefined) {
      if (at + 1 >= argv.length) return usageError(`flag needs an argument: -${name}`);
      text = argv[++at] ?? '';
    }
    const value = flagValue(flag, text);
    if (value === undefined) {
      const kind = { bool: 'true or false', string: 'text', int: 'a whole number', float: 'a number' }[flag.kind];
      return usageError(`invalid value ${JSON.stringify(text)} for flag -${name}: expected ${kind}`);
    }
    values[name] = value;
    given.add(name);
  }
  return { kind: 'values', values: values as FlagValues<Table>, given, rest: argv.slice(at) };
}

/** The text that Go prints for `-h`: flags in alphabetical order with their defaults. */
export function usageText(table: FlagTable, command: string): string {
  const lines = [`Usage of ${command}:`];
  for (const name of Object.keys(table).sort()) {
    const flag = table[name];
    if (flag === undefined) continue;
    lines.push(`  -${name}${flag.kind === 'bool' ? '' : ` ${flag.placeholder ?? flag.kind}`}`);
    const shown = flag.kind === 'string' ? JSON.stringify(flag.default) : String(flag.default);
    const isZero = flag.default === '' || flag.default === 0 || flag.default === false;
    lines.push(`    \t${flag.usage}${isZero ? '' : ` (default ${shown})`}`);
  }
  return `${lines.join('\n')}\n`;
}

function flagValue(flag: Flag, text: string): boolean | string | number | undefined {
  switch (flag.kind) {
    case 'bool':
      return BOOLEANS.get(text);
    case 'string':
      return text;
    case 'int': {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    }
    case 'float': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      return Number.isFinite(value) ? value : undefined;
    }
  }
}
