import { describe, expect, it } from 'vitest';
import { decodeHead, encodeHead, type Head } from '../../src/cluster/message.js';
import { decodeParcel, encodeParcel, parcelLength } from '../../src/cluster/peers/parcel.js';

const encoder = new TextEncoder();
const HEADS: Head[] = [
  { kind: 'lines', cluster: 'alex\n"#', perSecond: 0, fields: 'value', now: 1_795_800_000 },
  { kind: 'lines', cluster: '', perSecond: 1000, fields: 'all', now: 0 },
  { kind: 'free', to: 5, selectors: [['alex', 'n1'], []] },
  { kind: 'retain', to: 5, except: [['alex', ['n1', 'n2']]] },
];

describe("a message's head", () => {
  it('is read as it was written, whatever follows it', () => {
    for (const head of HEADS) {
      const text = encodeHead(head, 1);
      expect(text.match(/\n/g)).toHaveLength(1);
      expect(decodeHead(encoder.encode(`${text}m value=1 1\n`))).toEqual(head);
    }
  });

  it('that makes no sense is refused with what was found', () => {
    const read = (text: string) => () => decodeHead(encoder.encode(text));
    expect(read('m,hostname=a value=1 1\n')).toThrow(/no message of a store: it begins with "m,hostname=a value=1 1"/);
    expect(read('#{"v":2,"kind":"lines"}\n')).toThrow(
      'a message of version 2, expected 1: a newer store has written it',
    );
    expect(read('#{"v":0,"kind":"lines"}\n')).toThrow('a message of version 0, expected 1 to 1');
    expect(read('#{"v":1,"kind":"drop"}\n')).toThrow(/makes no sense/);
    expect(read('#{"v":1,"kind":"free","to":"x","selectors":[]}\n')).toThrow(/makes no sense/);
    expect(read('# a comment\n')).toThrow(/no message of a store/);
    expect(read('m{"v":1,"kind":"free","to":1,"selectors":[]}\n')).toThrow(/no message of a store/);
    expect(read('')).toThrow(/no message of a store/);
  });
});

describe('a parcel', () => {
  it('keeps values and buffers, at multiples of 8', () => {
    const value = {
      text: 'ä',
      list: [1, null, { bytes: new Uint8Array([1, 2, 3]) }],
      buffer: new Uint8Array([4, 5]).buffer,
      node: Buffer.from('xyz'),
      none: new Uint8Array(0),
    };
    const parcel = encodeParcel(value);
    expect(parcelLength(parcel)).toBe(parcel.length);
    expect(decodeParcel(parcel)).toEqual({
      ...value,
      buffer: new Uint8Array([4, 5]),
      node: new Uint8Array(Buffer.from('xyz')),
    });
    const doubles = (
      decodeParcel(encodeParcel([new Uint8Array(new Float64Array([0.5, -1]).buffer)])) as Uint8Array[]
    )[0];
    expect(new Float64Array((doubles as Uint8Array).buffer)).toEqual(new Float64Array([0.5, -1]));
  });

  it('that was cut off, or is none, is refused', () => {
    const parcel = encodeParcel({ bytes: new Uint8Array(100) });
    expect(() => decodeParcel(parcel.subarray(0, 50))).toThrow(/not a message between stores/);
    const short = parcel.slice(0, parcel.length - 50);
    new DataView(short.buffer).setUint32(0, short.length, true);
    expect(() => decodeParcel(short)).toThrow(/cut off/);
    expect(parcelLength(parcel.subarray(0, 7))).toBeUndefined();
  });
});
