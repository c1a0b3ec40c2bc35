/**
 * The tokens of a query, as Prometheus's lexer cuts them. The grammar is lezer-promql's; what is done here is what a tree
 * for any text cannot tell: strings and numbers that are not finished, brackets that do not match, how deep they nest,
 * and how a token is called in an error.
 */

import { quote } from './quote.js';

export type TokenType =
  | 'identifier'
  | 'metric identifier'
  | 'string'
  | 'number'
  | 'duration'
  /** A keyword, an operator or a bracket; keywords are in lower case in `word`. */
  | 'word'
  | 'end';

export interface Token {
  readonly type: TokenType;
  readonly start: number;
  readonly text: string;
  readonly word: string;
}

/** What stopped the scan: nothing after it was looked at. */
export interface ScanError {
  readonly start: number;
  /** Where its token begins: a place before it is wrong for another reason. */
  readonly token: number;
  readonly message: string;
}

export interface Scan {
  /** All tokens, comments left out; the last one is `end` unless there is an error. */
  readonly tokens: readonly Token[];
  readonly error: ScanError | undefined;
  /** At most so deep do the expression's nodes nest: brackets, calls, and operators beside each other. */
  readonly depth: number;
}

const aggregators =
  'sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio'.split(' ');
export const aggregationNames: ReadonlySet<string> = new Set(aggregators);

const keywords = new Set([
  ...aggregators,
  ...'and or unless atan2 offset smoothed anchored by without on ignoring group_left group_right bool'.split(' '),
  ...'start end step range max_of min_of fill fill_left fill_right'.split(' '),
]);
const numberWords = new Set(['inf', 'nan']);

const SPACE = /[ \t\r\n]+/y;
const COMMENT = /#[^\r\n]*/y;
const IDENTIFIER = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
/** Everything that hangs together with a number: whether it is one is decided by the two below. */
const NUMERIC = /(?:[eE][+-]|[0-9a-zA-Z_.])+/y;
const NUMBER =
  /^(?:0[xX]_?[0-9a-fA-F_]*|\.?[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)$/;
const DURATION = /^[0-9]+[smhdwy]s?(?:[0-9]+[smhdw]s?)*$/;
const OPERATOR = /==|!=|<=|<\/|>=|>\/|[-+*/%^<>=,@]/y;
const MATCH_OPERATOR = /=~|!~|!=|=|,/y;
const durationWords = new Set(['step', 'range', 'max_of', 'min_of']);

class Scanner {
  private at = 0;
  private readonly tokens: Token[] = [];
  private parentheses = 0;
  private depth = 0;
  /** Operators and brackets at each open parenthesis. */
  private readonly levels = [0];
  private nested = 0;
  private bracketOpen = false;
  private braceOpen = false;
  private colonSeen = false;
  private error: ScanError | undefined;

  constructor(private readonly text: string) {}

  run(): Scan {
    while (this.error === undefined && this.step());
    return { tokens: this.tokens, error: this.error, depth: this.depth };
  }

  private fail(start: number, message: string, token = start): boolean {
    this.error = { start, message, token };
    return false;
  }

  /** Counts a token towards the depth: what it binds lies at most one level deeper than before. */
  private nest(text: string): void {
    const level = this.levels.length - 1;
    if (text === ',') {
      this.nested -= this.levels[level] ?? 0;
      this.levels[level] = 0;
    } else if (text === ')') {
      this.nested -= (this.levels.pop() ?? 0) + 1;
    } else {
      this.nested++;
      if (text === '(') this.levels.push(0);
      else this.levels[level] = (this.levels[level] ?? 0) + 1;
    }
    this.depth = Math.max(this.depth, this.nested);
  }

  private add(type: TokenType, text: string, word = text): boolean {
    if (type === 'word' && !this.braceOpen) this.nest(text);
    this.tokens.push({ type, start: this.at, text, word });
    this.at += text.length;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  /** Takes one token. False at the end and on an error. */
  private step(): boolean {
    const skipped = this.match(SPACE) ?? this.match(COMMENT);
    if (skipped !== undefined) {
      this.at += skipped.length;
      return true;
    }
    const character = this.text[this.at];
    if (character === undefined) return this.end();
    if ('"\'`'.includes(character) && !this.atBracket()) return this.string(character);
    if (this.braceOpen) return this.insideBraces(character);
    return this.bracketOpen ? this.insideBrackets(character) : this.statement(character);
  }

  /** Directly behind a left bracket. */
  private atBracket(): boolean {
    return this.bracketOpen && this.tokens.at(-1)?.text === '[';
  }

  private end(): boolean {
    if (this.braceOpen) return this.fail(this.at, 'unexpected end of input inside braces');
    if (this.atBracket()) {
      return this.fail(this.at, 'unexpected end of input in duration expression');
    }
    if (this.parentheses > 0) return this.fail(this.at, 'unclosed left parenthesis');
    if (this.bracketOpen) return this.fail(this.at, 'unclosed left bracket');
    this.add('end', '');
    return false;
  }

  private quotedCharacter(): string {
    return `'${String.fromCodePoint(this.text.codePointAt(this.at) ?? 0).replace(/['\\]/, '\\$&')}'`;
  }

  private insideBraces(character: string): boolean {
    const label = this.match(LABEL);
    if (label !== undefined) return this.add('identifier', label);
    const operator = this.match(MATCH_OPERATOR);
    if (operator !== undefined) return this.add('word', operator);
    if (character === '}') {
      this.braceOpen = false;
      return this.add('word', character);
    }
    if (character === '{') return this.fail(this.at, "unexpected left brace '{'");
    if (character === '!') {
      this.at++;
      return this.fail(this.at - 1, `unexpected character after '!' inside braces: ${this.quotedCharacter()}`);
    }
    return this.fail(this.at, `unexpected character inside braces: ${this.quotedCharacter()}`);
  }

  private insideBrackets(character: string): boolean {
    const first = this.atBracket();
    if (character === ']') {
      this.bracketOpen = false;
      return this.add('word', character);
    }
    if (character === ':') {
      if (first) return this.fail(this.at + 1, 'unexpected colon before duration in duration expression', this.at);
      if (this.colonSeen) return this.fail(this.at, "unexpected colon ':'");
      this.colonSeen = true;
      return this.add('word', character);
    }
    if (character === '[' && !first) return this.fail(this.at, "unexpected left bracket '['");
    const word = this.match(LABEL);
    if (word !== undefined) {
      if (durationWords.has(word.toLowerCase())) return this.add('word', word, word.toLowerCase());
      const problem = first ? 'unexpected character in duration expression: ' : 'unexpected character: ';
      return this.fail(this.at, `${problem}${this.quotedCharacter()}${first ? '' : ", expected ':'"}`);
    }
    if (first && '["\'`'.includes(character)) {
      return this.fail(this.at, `unexpected character in duration expression: ${this.quotedCharacter()}`);
    }
    return this.statement(character);
  }

  private statement(character: string): boolean {
    if (/[0-9]/.test(character) || /^\.[0-9]/.test(this.text.slice(this.at, this.at + 2))) return this.numeric();
    const name = this.match(IDENTIFIER);
    if (name !== undefined) return this.name(name);
    if ('()[]{}'.includes(character)) return this.bracket(character);
    const operator = this.match(OPERATOR);
    if (operator === '=' && this.text[this.at + 1] === '~') {
      return this.fail(this.at, "unexpected character after '=': '~'");
    }
    if (operator !== undefined) return this.add('word', operator);
    if (character === '!') {
      this.at++;
      return this.fail(this.at - 1, `unexpected character after '!': ${this.quotedCharacter()}`);
    }
    return this.fail(this.at, `unexpected character: ${this.quotedCharacter()}`);
  }

  private name(name: string): boolean {
    const word = name.toLowerCase();
    if (numberWords.has(word)) return this.add('number', name);
    if (keywords.has(word)) return this.add('word', name, word);
    return this.add(name.includes(':') ? 'metric identifier' : 'identifier', name);
  }

  private numeric(): boolean {
    const text = this.match(NUMERIC) ?? '';
    // What follows e and a sign may belong to an operator: `0x1e+2` is a sum, `1s-2` a difference.
    const cut = /^(?:0[xX][0-9a-fA-F]*[eE]|[^eE]*[smhdwy])(?=[+-])/.exec(text)?.[0] ?? text;
    if (NUMBER.test(cut)) return this.add('number', cut);
    if (DURATION.test(cut)) return this.add('duration', cut);
    return this.fail(this.at, `bad number or duration syntax: ${quote(cut)}`);
  }

  private bracket(character: string): boolean {
    if (character === ']') return this.fail(this.at, "unexpected right bracket ']'");
    if (character === '}') return this.fail(this.at, "unexpected character: '}'");
    if (character === ')' && --this.parentheses < 0) {
      return this.fail(this.at + 1, "unexpected right parenthesis ')'", this.at);
    }
    this.add('word', character);
    if (character === '(') this.parentheses++;
    if (character === '{') this.braceOpen = true;
    if (character === '[') {
      this.bracketOpen = true;
      this.colonSeen = false;
    }
    return true;
  }

  private string(delimiter: string): boolean {
    const raw = delimiter === '`';
    let end = this.at + 1;
    while (this.text[end] !== delimiter) {
      const character = this.text[end];
      if (character === undefined) {
        return this.fail(this.at, raw ? 'unterminated raw string' : 'unterminated quoted string');
      }
      if (!raw && character === '\n') return this.fail(this.at, 'unterminated quoted string');
      if (!raw && character === '\\') {
        const next = this.escape(end + 1, delimiter);
        if (typeof next === 'string') return this.fail(this.at, next);
        end = next;
      } else {
        end++;
      }
    }
    return this.add('string', this.text.slice(this.at, end + 1));
  }

  /** The index behind an escape sequence that begins at `from`, after the backslash, or what is wrong with it. */
  private escape(from: number, delimiter: string): number | string {
    const first = this.text[from];
    if (first === undefined) return 'escape sequence not terminated';
    if ('abfnrtv\\'.includes(first) || first === delimiter) return from + 1;
    const digits = { x: 2, u: 4, U: 8 }[first] ?? (/[0-7]/.test(first) ? 3 : 0);
    if (digits === 0) return `unknown escape sequence ${unicodeName(this.text, from)}`;
    const start = digits === 3 ? from : from + 1;
    const allowed = digits === 3 ? /[0-7]/ : /[0-9a-fA-F]/;
    for (let at = start; at < start + digits; at++) {
      const digit = this.text[at];
      if (digit === undefined) return 'escape sequence not terminated';
      if (!allowed.test(digit)) return `illegal character ${unicodeName(this.text, at)} in escape sequence`;
    }
    const value = Number.parseInt(this.text.slice(start, start + digits), digits === 3 ? 8 : 16);
    const most = digits <= 3 ? 255 : 0x10ffff;
    if (value > most || (value >= 0xd800 && value < 0xe000)) {
      return 'escape sequence is an invalid Unicode code point';
    }
    return start + digits;
  }
}

/** A character as Go's `%#U` prints it: `U+0071 'q'`. */
function unicodeName(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
}

export function scan(text: string): Scan {
  return new Scanner(text).run();
}

/** A token as Prometheus's errors call it: `identifier "x"`, `end of input`, `<op:+>`, ... */
export function describe(token: Token): string {
  if (token.type === 'end') return 'end of input';
  if (token.type === 'word') return wordDescription(token);
  const named = token.type === 'identifier' || token.type === 'metric identifier';
  return `${token.type} ${named ? quote(token.text) : shortQuote(token.text)}`;
}

/** Only so much of a literal is repeated in an error. */
const SHOWN = 10;

function shortQuote(text: string): string {
  return text.length > SHOWN ? `${quote(text.slice(0, SHOWN))}...` : quote(text);
}

const operators = new Set('and or unless atan2 == != <= < >= > </ >/ + - * / % ^ =~ !~ @'.split(' '));
const modifiers = new Set(
  'offset smoothed anchored by without on ignoring group_left group_right bool fill fill_left fill_right'.split(' '),
);

function wordDescription({ word, text }: Token): string {
  if (operators.has(word)) return `<op:${text}>`;
  if (aggregationNames.has(word)) return `<aggr:${text}>`;
  if (modifiers.has(word)) return `<${text}>`;
  return quote(text);
}
