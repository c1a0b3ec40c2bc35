import { describe, expect, it } from 'vitest';
import { JsonSyntaxError, parseJsonSource } from '../../src/config/json-source.js';

const plain = (text: string): unknown => structuredClone(parseJsonSource(text).value);

describe('parseJsonSource', () => {
  it.each([
    '{}',
    '[]',
    ' {"a" : [1, -2.5e3, 0, true, false, null, "x"], "b": {"c": {}}} ',
    '"\\u00e4\\n\\"\\\\\\/"',
    '"ä€😀"',
    '[[[]]]',
    '-0',
    '1E+2',
  ])('agrees with JSON.parse on %s', (text) => expect(plain(text)).toEqual(JSON.parse(text)));

  it.each([
    ['', 1, 1],
    ['{"a": }', 1, 7],
    ['{"a": 1,\n}', 2, 1],
    ['{"a" 1}', 1, 6],
    ['[1,\n 2', 2, 3],
    ['{a: 1}', 1, 2],
    ['"x\n"', 1, 3],
    ['"\\x"', 1, 2],
    ['"\\u12"', 1, 2],
    ['tru', 1, 1],
    ['[01]', 1, 3],
    ['[+1]', 1, 2],
    ['[1.]', 1, 3],
    ["{'a': 1}", 1, 2],
    ['// x\n1', 1, 1],
  ])('says where %j is broken', (text, line, column) => {
    expect(() => JSON.parse(text)).toThrow();
    try {
      parseJsonSource(text);
      expect.unreachable('accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(JsonSyntaxError);
      expect((error as JsonSyntaxError).position).toEqual({ line, column });
    }
  });

  it('refuses deep nesting instead of overflowing the stack', () => {
    expect(() => parseJsonSource('['.repeat(100_000))).toThrow(/nested deeper/);
  });

  it('locates members by their key, items by themselves, and missing ones by what is above', () => {
    const source = parseJsonSource('{\n "a": {"b": [10,\n  20]}\n}');
    expect(source.locate(['a'])).toEqual({ line: 2, column: 2 });
    expect(source.locate(['a', 'b', 1])).toEqual({ line: 3, column: 3 });
    expect(source.locate(['a', 'x', 'y'])).toEqual({ line: 2, column: 2 });
    expect(source.locate(['x'])).toEqual({ line: 1, column: 1 });
  });

  it('keeps the last of duplicate keys and reports them', () => {
    const source = parseJsonSource('{"a": {"x": 1}, "b": 2, "a": {"y": 1}}');
    expect(JSON.stringify(source.value)).toBe('{"a":{"y":1},"b":2}');
    expect(source.duplicates).toEqual([['a']]);
  });

  it('makes objects without a prototype, __proto__ being a key like any other', () => {
    const value = parseJsonSource('{"__proto__": {"polluted": 1}}').value as object;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('reports what follows the value', () => {
    expect(parseJsonSource('{}\n ').trailing).toBeUndefined();
    expect(parseJsonSource('{}\n x').trailing).toEqual({ line: 2, column: 2 });
  });
});
