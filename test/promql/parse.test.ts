import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { CompiledExpressions } from '../../src/promql/compiled.js';
import { typeOf } from '../../src/promql/parse/ast.js';
import { MAX_NESTING } from '../../src/promql/parse/convert.js';
import { MAX_QUERY_BYTES, parseExpr, parseSelector } from '../../src/promql/parse/parser.js';
import { patternSize } from '../../src/promql/parse/pattern-size.js';
import { ParseError } from '../../src/promql/parse/position.js';
import { printExpr } from '../../src/promql/parse/print.js';
import { readable, refused } from './parse-cases.js';

function errorOf(query: string): string {
  try {
    return `no error, but ${printExpr(parseExpr(query))}`;
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}

describe('parsing PromQL', () => {
  it.each(readable)('reads %s', (query, printed) => {
    const expr = parseExpr(query);
    expect(printExpr(expr)).toBe(printed);
    expect(printExpr(parseExpr(printed))).toBe(printed);
  });

  it.each(refused)('refuses %j', (query, message) => {
    expect(errorOf(query)).toBe(message);
  });

  it.each([
    ['1 + time()', 'scalar'],
    ['"a"', 'string'],
    ['a + 1', 'vector'],
    ['(a[5m])', 'matrix'],
    ['a[5m:]', 'matrix'],
    ['-scalar(a)', 'scalar'],
    ['sum(a)', 'vector'],
  ])('knows the type of %s without data: %s', (query, type) => {
    expect(typeOf(parseExpr(query))).toBe(type);
  });
});

describe('limits of a query', () => {
  const tooDeep = `query is nested too deeply, expected at most ${MAX_NESTING} levels`;

  it.each([
    ['parentheses', `${'('.repeat(30_000)}a${')'.repeat(30_000)}`],
    ['calls', `${'abs('.repeat(10_000)}a${')'.repeat(10_000)}`],
    ['signs', `${'-'.repeat(30_000)}a`],
    ['powers', `a${'^a'.repeat(30_000)}`],
    ['terms of a sum', `a${'+a'.repeat(30_000)}`],
    ['subqueries', `a${'[1m:]'.repeat(10_000)}`],
  ])('refuses 10 000 nested %s without overflowing the stack', (_, query) => {
    expect(errorOf(query)).toContain(tooDeep);
  });

  it('reads what is nested just as deep as allowed', () => {
    const levels = MAX_NESTING - 1;
    expect(typeOf(parseExpr(`${'('.repeat(levels)}a${')'.repeat(levels)}`))).toBe('vector');
    expect(errorOf(`a${'+a'.repeat(MAX_NESTING + 1)}`)).toContain(tooDeep);
  });

  it('refuses a text of more than 64 KiB', () => {
    expect(errorOf(`a${' '.repeat(MAX_QUERY_BYTES)}`)).toBe(
      '1:1: parse error: query has 65537 bytes, expected at most 65536',
    );
    expect(typeOf(parseExpr(`a${' '.repeat(MAX_QUERY_BYTES - 1)}`))).toBe('vector');
  });
});

describe('matchers', () => {
  function chosen(matcher: string, values: string[]): string[] {
    const [first] = parseSelector(`{a${matcher},b="c"}`);
    return values.filter((value) => first?.matches(value));
  }

  it('are anchored on both sides, and the dot matches a newline', () => {
    expect(chosen('=~"b.d"', ['bcd', 'b\nd', 'abcd', 'bcde', ''])).toEqual(['bcd', 'b\nd']);
    expect(chosen('!~"b.d"', ['bcd', 'abcd', ''])).toEqual(['abcd', '']);
    expect(chosen('=~"b|cd"', ['b', 'cd', 'bd'])).toEqual(['b', 'cd']);
  });

  it('know sets of words, as Grafana sends them', () => {
    const [matcher] = parseSelector('{a=~"(a0001|a\\\\.2|)",b="c"}');
    expect([...(matcher?.words ?? [])]).toEqual(['a0001', 'a.2', '']);
    expect(chosen('!~"(x|y)"', ['x', 'y', 'z'])).toEqual(['z']);
    expect(parseSelector('{a=~"x.*"}')[0]?.words).toBeUndefined();
    expect(parseSelector('{a=~"(?i)x"}')[0]?.words).toBeUndefined();
  });

  it('take time in proportion to the text, whatever the expression', () => {
    expect(chosen('=~"(a+)+$"', ['a'.repeat(20_000), `${'a'.repeat(20_000)}b`])).toHaveLength(1);
  });

  it('refuse what is not a selector', () => {
    expect(() => parseSelector('a + b')).toThrow('1:1: parse error: expected a selector such as metric{label="value"}');
    expect(() => parseSelector('a offset 5m')).toThrow('expected a selector');
  });

  it.each([
    'a0[1-5][0-9]+\\.example\\.org',
    '(a|b|.){1000}',
    `(${'(x.?y|z.*)'.repeat(30)}){30}`,
    '((a{3}){4}b){5}',
    '\\pL{50}|[^a-z]{9,}',
    '.?'.repeat(500),
    '(?i)abc(?P<name>d+?)e{0}f{2,3}',
    '[]a[:alpha:]\\]]+x\\{3}',
  ])('are measured before they are compiled: %s', (pattern) => {
    const { length } = pattern;
    const instructions = RE2JS.compile(pattern).programSize();
    const measured = patternSize(pattern);
    // Never much less, whatever is repeated how often; a class of Unicode counts for ten.
    expect(measured, `${instructions} of ${length} characters`).toBeGreaterThan(instructions / 2 - 4);
    expect(measured).toBeLessThan(10 * instructions);
  });

  it('are refused with their place when they are too large together, and words are not', () => {
    const large = '(a.{9}){99}';
    const at = (query: string, last: string) =>
      `1:${query.lastIndexOf(last) + 1}: parse error: regular expressions are too large`;
    const two = `a{b=~"(${large}){4}",c="${large}"} or d{e!~"${large}x{5000}"}`;
    expect(() => parseExpr(two)).toThrow(at(two, `"${large}x`));
    const replacing = `label_replace(a, "b", "c", "d", "(${large}){99}")`;
    expect(() => parseExpr(replacing)).toThrow(at(replacing, '"('));
    expect(() => parseExpr(`a{b=~"${Array.from({ length: 9000 }, (_, i) => i).join('|')}"}`)).not.toThrow();
    expect(() => parseExpr(`a{b="${'.*'.repeat(9000)}"}`)).not.toThrow();
  });
});

describe('compiled expressions', () => {
  it('are kept, a thousand of them, and the same text is compiled once', () => {
    const compiled = new CompiledExpressions();
    const first = compiled.compile('a0');
    expect(compiled.compile('a0')).toBe(first);
    for (let i = 1; i < 1000; i++) compiled.compile(`a${i}`);
    expect(compiled.compile('a0')).toBe(first);
    compiled.compile('one_more');
    expect([compiled.size, compiled.compile('a0')]).toEqual([1000, first]);
    compiled.compile('a1');
    expect(compiled.size).toBe(1000);
  });

  it('are fewer where they are large', () => {
    const compiled = new CompiledExpressions();
    for (let i = 0; i < 20; i++) compiled.compile(`a{b=~"${i}.{999}(x|y.){99}"}`);
    const small = compiled.size;
    expect(small).toBe(20);
    for (let i = 0; i < 40; i++) compiled.compile(`a${i}{${'b="c",'.repeat(8000)}}`);
    expect(compiled.size).toBeLessThan(8);
  });
});
