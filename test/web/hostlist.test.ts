import { describe, expect, it } from 'vitest';
import { compressHostlist, expandHostlist, HostlistError } from '../../web/src/model/nodes/hostlist.js';

describe('expandHostlist', () => {
  it.each([
    ['', []],
    ['a0603', ['a0603']],
    ['f[0001-0003,0007]', ['f0001', 'f0002', 'f0003', 'f0007']],
    ['f[8-11]', ['f8', 'f9', 'f10', 'f11']],
    ['f[08-11]', ['f08', 'f09', 'f10', 'f11']],
    ['login,f[1,3],g12', ['login', 'f1', 'f3', 'g12']],
    ['rack[1-2]n[01-02]', ['rack1n01', 'rack1n02', 'rack2n01', 'rack2n02']],
    ['n[1-2]-ib', ['n1-ib', 'n2-ib']],
    ['a1 b2\nc3, d4', ['a1', 'b2', 'c3', 'd4']],
    ['a1,a[1-2],,', ['a1', 'a2']],
    ['f[ 1 , 2-3 ]', ['f1', 'f2', 'f3']],
  ])('reads %j', (text, names) => {
    expect(expandHostlist(text)).toEqual(names);
  });

  it.each([
    ['f[1-3', 1, '"[" is not closed'],
    ['f1]', 2, '"]" without "["'],
    ['f[1-[2]]', 4, 'a bracket within brackets'],
    ['a,f[1,x-3]', 6, 'expected a number or a range such as 01-16, got "x-3"'],
    ['f[]', 2, 'expected a number'],
    ['f[5-3]', 2, 'the range 5-3 runs backwards'],
    ['f[1-99999999]', 2, 'more than 65536 nodes'],
    ['f[1-60000]g[1-60000]', 11, 'more than 65536 nodes'],
    ['f[1-60000],g[1-60000]', 11, 'more than 65536 nodes'],
  ])('refuses %j and says where', (text, position, message) => {
    const refused = (): unknown => expandHostlist(text);
    expect(refused).toThrow(HostlistError);
    expect(refused).toThrow(message);
    try {
      refused();
    } catch (error) {
      expect(error).toMatchObject({ position });
    }
  });
});

describe('compressHostlist', () => {
  it.each([
    [[], ''],
    [['a0603'], 'a0603'],
    [['f0001', 'f0002', 'f0003', 'f0007'], 'f[0001-0003,0007]'],
    [['f0999', 'f1000', 'f1001'], 'f[0999-1001]'],
    [['f8', 'f9', 'f10'], 'f[8-10]'],
    [['f08', 'f9'], 'f08,f9'],
    [['f1', 'f01'], 'f1,f01'],
    [['login', 'f2', 'f1'], 'login,f[1-2]'],
    [['n1-ib', 'n2-ib'], 'n[1-2]-ib'],
    [['rack1n01', 'rack1n02', 'rack2n01'], 'rack1n[01-02],rack2n01'],
    [['f', 'f01', 'f10'], 'f,f[01,10]'],
  ])('writes %j', (names, text) => {
    expect(compressHostlist(names)).toBe(text);
  });

  it('names the same nodes again when it is read', () => {
    const names = Array.from({ length: 3000 }, (_, i) => `f${String((i * 7919) % 12_000).padStart(4, '0')}`);
    const found = expandHostlist(compressHostlist(names));
    expect(new Set(found)).toEqual(new Set(names));
    expect(found).toHaveLength(new Set(names).size);
  });
});
