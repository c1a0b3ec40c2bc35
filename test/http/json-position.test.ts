import { describe, expect, it } from 'vitest';
import { jsonErrorPosition } from '../../src/http/body/json-position.js';

describe('jsonErrorPosition', () => {
  it.each([
    ['', 0],
    [' \n', 2],
    ['{', 1],
    ['{"a"', 4],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ['{"a":1 "b":2}', 7],
    ['{a:1}', 1],
    ['[1,2', 4],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['[1}', 2],
    ['01', 1],
    ['-', 0],
    ['1.', 1],
    ['tru', 0],
    ['"abc', 4],
    ['"a\\x"', 2],
    ['"a\\u12"', 2],
    ['"a\nb"', 2],
    ['{"a":[{"b":null},{"c":}]}', 22],
    ['[]x', 2],
  ])('finds the place in %j', (text, position) => {
    expect(jsonErrorPosition(text)).toBe(position);
  });

  it('agrees with JSON.parse on what is JSON, for mutated texts', () => {
    const seed = { state: 7 };
    const random = (below: number): number => {
      seed.state = (Math.imul(seed.state, 1664525) + 1013904223) >>> 0;
      return seed.state % below;
    };
    const source =
      '{"cluster":"al\\u00e9x","from":-1.5e3,"queries":[{"metric":"m","type-ids":["0",null]},{}],"x":[true,false,[]]}';
    const letters = '{}[]",:0123.eE+-\\untrfalse ';
    let compared = 0;
    for (let round = 0; round < 20_000; round++) {
      const at = random(source.length);
      const text = source.slice(0, at) + (letters[random(letters.length)] ?? '') + source.slice(at + random(3));
      const position = jsonErrorPosition(text);
      let message = '';
      try {
        JSON.parse(text);
      } catch (error) {
        message = String(error);
      }
      // A complete value followed by nothing ends the scan at the text's end.
      if (message === '') expect([text, position]).toEqual([text, text.length]);
      // V8 names a place for some errors; of those within a token it counts from elsewhere.
      const named = /(?:Expected|Unexpected non-whitespace).* at position (\d+)/.exec(message);
      if (named === null) continue;
      compared++;
      expect([text, position]).toEqual([text, Number(named[1])]);
    }
    expect(compared).toBeGreaterThan(5000);
  });
});
