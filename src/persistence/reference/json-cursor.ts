import { ByteSource } from './byte-source.js';
import { endOfNumber, parseNumber, takeNumbers } from './json-numbers.js';
import { ReferenceFormatError } from './types.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_N = 0x6e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Longest string and number that a checkpoint can hold: the reference's names have 16-bit lengths, escapes take 6 bytes. */
const MAX_STRING = 0xffff * 6 + 2;
const MAX_NUMBER = 512;
/** How deep a value that is skipped may be nested. */
const MAX_DEPTH = 64;

/**
 * Pulls the tokens of a JSON file one after the other with a fixed window of memory. It checks what it reads and throws
 * `ReferenceFormatError` with the byte where the text stops being what was asked for.
 */
export class JsonCursor {
  #pieces = new Float64Array(0);

  private constructor(readonly source: ByteSource) {}

  static async open(path: string): Promise<JsonCursor> {
    return new JsonCursor(await ByteSource.open(path, MAX_STRING + 2));
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  damage(why: string): ReferenceFormatError {
    return new ReferenceFormatError(this.source.path, this.source.offset, why);
  }

  /** Skips white space; the next byte without consuming it, -1 at the end of the file. */
  async peek(): Promise<number> {
    const { source } = this;
    for (;;) {
      while (source.at < source.end) {
        const byte = source.bytes[source.at] as number;
        if (!isSpace(byte)) return byte;
        source.at++;
      }
      if (!(await source.fill(1))) return -1;
    }
  }

  /**
   * Goes through an object: yields each key, whose value must be consumed before the next is asked for. `null` counts
   * as empty.
   * @param what for the error if there is something else.
   */
  async *keys(what: string): AsyncGenerator<string> {
    if (await this.#acceptNull()) return;
    await this.#expect(OPEN_BRACE, what);
    if (await this.#accept(CLOSE_BRACE)) return;
    do {
      const key = await this.string(`a key of ${what}`);
      await this.#expect(COLON, 'a colon');
      yield key;
    } while (await this.#accept(COMMA));
    await this.#expect(CLOSE_BRACE, `a comma or the end of ${what}`);
  }

  async string(what: string): Promise<string> {
    await this.#expect(QUOTE, what);
    // Nearly always all of it is in the window; filling it up for every string would cost more than reading the file.
    const found = this.#takeString() ?? ((await this.#fillFor(MAX_STRING)) ? this.#takeString() : undefined);
    if (found !== undefined) return found;
    throw this.damage(`the end of ${what} is missing`);
  }

  async number(what: string): Promise<number> {
    await this.peek();
    await this.source.fill(Math.min(MAX_NUMBER, this.source.remaining));
    return this.#number(what);
  }

  /**
   * Goes through an array of numbers and nulls (NaN), handing it out in pieces of at most `size` values. `null` instead
   * of the array counts as empty. The pieces are the receiver's to keep.
   */
  async *numberPieces(what: string, size: number): AsyncGenerator<Float64Array> {
    if (await this.#acceptNull()) return;
    await this.#expect(OPEN_BRACKET, what);
    if (await this.#accept(CLOSE_BRACKET)) return;
    const { source } = this;
    const piece = this.#scratch(size);
    let count = 0;
    for (;;) {
      count = takeNumbers(source, piece, count, size);
      await this.peek();
      await source.fill(Math.min(MAX_NUMBER, source.remaining));
      piece[count++] = this.#numberOrNull(what);
      if (source.at < source.end && source.bytes[source.at] === COMMA) source.at++;
      if (source.bytes[source.at - 1] !== COMMA) {
        if (await this.#accept(CLOSE_BRACKET)) break;
        await this.#expect(COMMA, `a comma or the end of ${what}`);
      }
      if (count === size) {
        yield piece.slice(0, count);
        count = 0;
      }
    }
    if (count > 0) yield piece.slice(0, count);
  }

  /** Consumes a value of any kind, checking no more than that its brackets and strings end. */
  async skip(): Promise<void> {
    let depth = 0;
    do {
      const byte = await this.peek();
      if (byte === QUOTE) await this.string('a string');
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
      else if (byte < 0) throw this.damage('the file ends within a value');
      if (depth < 0 || depth > MAX_DEPTH) throw this.damage('something that is not a JSON value');
      if (byte !== QUOTE) this.source.at++;
    } while (depth > 0 || !(await this.#atValueEnd()));
  }

  async #atValueEnd(): Promise<boolean> {
    const byte = await this.peek();
    return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte < 0;
  }

  /** Fills the window with `count` bytes or the rest of the file; false if it is there already. */
  async #fillFor(count: number): Promise<boolean> {
    const { source } = this;
    const wanted = Math.min(count, source.remaining);
    if (source.buffered >= wanted) return false;
    await source.fill(wanted);
    return true;
  }

  /** Takes a string without its first quote; undefined, nothing taken, if its end is not in the window. */
  #takeString(): string | undefined {
    const { source } = this;
    const { bytes, end } = source;
    let escaped = false;
    for (let i = source.at; i < end; i++) {
      const byte = bytes[i];
      if (byte === BACKSLASH) {
        escaped = true;
        i++;
      } else if (byte === QUOTE) {
        const text = bytes.toString('utf8', source.at, i);
        source.at = i + 1;
        return escaped ? this.#unescape(text) : text;
      }
    }
    return undefined;
  }

  #numberOrNull(what: string): number {
    const { bytes, at, end } = this.source;
    if (bytes[at] !== LETTER_N || at === end) return this.#number(what);
    if (end - at < 4 || bytes.toString('latin1', at, at + 4) !== 'null') throw this.damage(`expected ${what}`);
    this.source.at += 4;
    return Number.NaN;
  }

  /** Takes the number at the window's position; it must be in the window as a whole. */
  #number(what: string): number {
    const { source } = this;
    const { bytes, at, end } = source;
    const tokenEnd = endOfNumber(bytes, at, end);
    const value = parseNumber(bytes.toString('latin1', at, tokenEnd));
    if (Number.isNaN(value)) throw this.damage(`expected a number in ${what}, got ${quote(bytes, at, end)}`);
    source.at = tokenEnd;
    return value;
  }

  #scratch(size: number): Float64Array {
    if (this.#pieces.length < size) this.#pieces = new Float64Array(size);
    return this.#pieces;
  }

  async #acceptNull(): Promise<boolean> {
    if ((await this.peek()) !== LETTER_N) return false;
    await this.source.fill(4);
    this.#numberOrNull('null');
    return true;
  }

  async #accept(byte: number): Promise<boolean> {
    if ((await this.peek()) !== byte) return false;
    this.source.at++;
    return true;
  }

  async #expect(byte: number, what: string): Promise<void> {
    if (await this.#accept(byte)) return;
    const { bytes, at, end } = this.source;
    throw this.damage(
      at === end ? `the file ends, expected ${what}` : `expected ${what}, got ${quote(bytes, at, end)}`,
    );
  }

  #unescape(text: string): string {
    try {
      return JSON.parse(`"${text}"`) as string;
    } catch {
      throw this.damage(`a string with a bad escape: ${text.slice(0, 40)}`);
    }
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The next few bytes for an error message. */
function quote(bytes: Buffer, from: number, end: number): string {
  return JSON.stringify(bytes.toString('latin1', from, Math.min(end, from + 12)));
}
