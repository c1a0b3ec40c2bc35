import { describe, expect, it } from 'vitest';
import { type Place, parsePlace, placeSearch, START } from '../../web/src/state/location.js';

describe("the page's address", () => {
  it('is empty at the start, so that links stay short', () => {
    expect(placeSearch(START)).toBe('?');
    expect(parsePlace('')).toEqual(START);
  });

  it('gives the same place when it is read, whatever is in it', () => {
    const place: Place = {
      view: 'nodes',
      cluster: 'älex & sons',
      metric: 'mem_bw',
      range: { kind: 'fixed', from: 1_795_501_800, to: 1_795_505_400 },
      node: 'f0101',
      nodes: 'f[0001-0004,0007]',
      value: 'mean',
      groups: 'none',
      sort: 'likeness',
      pixel: 'mean',
      scale: '0-72',
      large: 'flops_any',
      expr: ['sum by (hostname) (flops_any{a="b&c"})', 'b'],
      as: 'raw',
    };
    expect(parsePlace(placeSearch(place))).toEqual(place);
  });

  it('keeps a relative range relative', () => {
    expect(placeSearch({ ...START, range: { kind: 'last', seconds: 86_400 } })).toBe('?range=1d');
  });

  it('ignores what it does not know, as old and mistyped links have', () => {
    expect(parsePlace('?view=nothing&sort=up&range=long&unknown=1&expr=&cluster=alex')).toEqual({
      ...START,
      cluster: 'alex',
    });
  });
});
