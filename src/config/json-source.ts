/**
 * A JSON reader for configuration files: `JSON.parse` does not reliably say where an error is (Node 20 leaves the
 * position out of some messages), hides duplicate keys, and gives objects a prototype that a key may name. This one
 * knows the position of every value, and its objects inherit nothing.
 */

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** Without a prototype. */
export interface JsonObject {
  [key: string]: JsonValue;
}
export type JsonPath = readonly (string | number)[];

export interface Position {
  /** 1-based. */
  line: number;
  /** 1-based, in UTF-16 units. */
  column: number;
}

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  constructor(
    message: string,
    readonly position: Position,
  ) {
    super(message);
  }
}

export interface JsonSource {
  value: JsonValue;
  /** Where the value at the path stands (for a member: its key), or the nearest thing above it that exists. */
  locate(path: JsonPath): Position;
  /** Keys that stand more than once in their object; the last one counts, as in Go. */
  duplicates: JsonPath[];
  /** Where text follows the value; undefined when only white space does. */
  trailing: Position | undefined;
}

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings may not hold them
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const BYTE_ORDER_MARK = '\ufeff';

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the first JSON value of `text`. Throws `JsonSyntaxError`. */
export function parseJsonSource(text: string): JsonSource {
  return new Reader(text).read();
}

class Reader {
  private at = 0;
  private readonly offsets = new Map<string, number>();
  private readonly duplicates: JsonPath[] = [];

  constructor(private readonly text: string) {}

  read(): JsonSource {
    if (this.text.startsWith(BYTE_ORDER_MARK)) this.at = 1;
    const value = this.value([]);
    this.space();
    return {
      value,
      locate: (path) => this.locate(path),
      duplicates: this.duplicates,
      trailing: this.at < this.text.length ? this.position(this.at) : undefined,
    };
  }

  private value(path: JsonPath): JsonValue {
    this.space();
    if (!this.offsets.has(pathKey(path))) this.offsets.set(pathKey(path), this.at);
    if (path.length > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} levels`);
    const character = this.text[this.at];
    if (character === '{') return this.object(path);
    if (character === '[') return this.array(path);
    if (character === '"') return this.string();
    for (const [word, value] of [['true', true] as const, ['false', false] as const, ['null', null] as const]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text)?.[0];
    if (number === undefined) return this.fail('expected a value');
    this.at += number.length;
    return Number(number);
  }

  private object(path: JsonPath): JsonObject {
    const object: JsonObject = Object.create(null);
    this.at++;
    if (this.skip('}')) return object;
    do {
      this.space();
      const keyAt = this.at;
      if (this.text[this.at] !== '"') this.fail('expected a key in double quotes');
      const key = this.string();
      if (!this.skip(':')) this.fail('expected ":" after the key');
      const memberPath = [...path, key];
      if (Object.hasOwn(object, key)) this.duplicates.push(memberPath);
      this.offsets.set(pathKey(memberPath), keyAt);
      object[key] = this.value(memberPath);
    } while (this.skip(','));
    if (!this.skip('}')) this.fail('expected "," or "}"');
    return object;
  }

  private array(path: JsonPath): JsonValue[] {
    const items: JsonValue[] = [];
    this.at++;
    if (this.skip(']')) return items;
    do items.push(this.value([...path, items.length]));
    while (this.skip(','));
    if (!this.skip(']')) this.fail('expected "," or "]"');
    return items;
  }

  /** The escapes are left to `JSON.parse`: here only the end is looked for. */
  private string(): string {
    const start = this.at++;
    for (;;) {
      PLAIN_TEXT.lastIndex = this.at;
      PLAIN_TEXT.exec(this.text);
      this.at = PLAIN_TEXT.lastIndex;
      const character = this.text[this.at];
      if (character === '"') break;
      if (character !== '\\') this.fail('expected the closing double quote of a string');
      if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.text.slice(this.at, this.at + 6))) {
        this.fail('unknown escape in a string');
      }
      this.at += 2;
    }
    this.at++;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++;
  }

  /** Moves past the character when it comes next. */
  private skip(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private fail(what: string): never {
    const found = this.at < this.text.length ? JSON.stringify(this.text[this.at]) : 'the end of the file';
    throw new JsonSyntaxError(`${what}, found ${found}`, this.position(this.at));
  }

  private locate(path: JsonPath): Position {
    for (let length = path.length; length > 0; length--) {
      const offset = this.offsets.get(pathKey(path.slice(0, length)));
      if (offset !== undefined) return this.position(offset);
    }
    return this.position(this.offsets.get(pathKey([])) ?? 0);
  }

  private position(offset: number): Position {
    const before = this.text.slice(0, offset).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  }
}

function pathKey(path: JsonPath): string {
  return JSON.stringify(path);
}
