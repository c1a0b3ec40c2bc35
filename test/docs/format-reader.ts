/** A reader of our files written after docs/formats.md alone: slow, plain, and independent of the product's. */
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const INVERSES = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];

/** Reads numbers one behind the other. */
class Cursor {
  readonly view: DataView;
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  #step(n: number): number {
    this.at += n;
    return this.at - n;
  }
  u8 = (): number => this.view.getUint8(this.#step(1));
  u16 = (): number => this.view.getUint16(this.#step(2), true);
  u32 = (): number => this.view.getUint32(this.#step(4), true);
  i16 = (): number => this.view.getInt16(this.#step(2), true);
  i32 = (): number => this.view.getInt32(this.#step(4), true);
  i64 = (): bigint => this.view.getBigInt64(this.#step(8), true);
  f32 = (): number => this.view.getFloat32(this.#step(4), true);
  f64 = (): number => this.view.getFloat64(this.#step(8), true);
  text(length: number): string {
    const at = this.#step(length);
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }
  /** A signed integer of n bytes. */
  signed(n: number): bigint {
    let value = 0n;
    for (let i = 0; i < n; i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    return BigInt.asIntN(8 * n, value);
  }
  list<T>(n: number, read: () => T): T[] {
    return Array.from({ length: n }, read);
  }
}

/** CRC-32C, a bit at a time. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** Payloads of a file's frames. Throws for anything but whole frames. */
export function readFrames(file: Uint8Array, magic: string): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const c = new Cursor(file);
  while (c.at < file.length) {
    const start = c.at;
    const found = c.text(4);
    const n = c.u32();
    const crc = c.u32();
    const version = c.u32();
    if (found !== magic || version !== 1) throw new Error(`frame at ${start}: ${found}, version ${version}`);
    if (crc32c(file.subarray(start + 12, start + 16 + n)) !== crc) throw new Error(`frame at ${start}: CRC`);
    frames.push(file.subarray(start + 16, start + 16 + n));
    c.at += n;
  }
  return frames;
}

const readNames = (c: Cursor): string[] => c.list(c.u8(), () => c.text(c.u8()));

export interface LogSample {
  series: string;
  time: number;
  value: number;
}

/** Samples of one segment's frames; a free gives `{series: "free ...", time: to}`. */
export function readLog(frames: Uint8Array[]): LogSample[] {
  const samples: LogSample[] = [];
  const names = new Map<number, string>();
  for (const frame of frames) {
    const c = new Cursor(frame);
    let number = 0xffffffff;
    let time = 0n;
    while (c.at < frame.length) {
      const tag = c.u8();
      if (tag === 3) {
        const to = Number(c.i64());
        samples.push({ series: `free ${readNames(c).join('/')}`, time: to, value: Number.NaN });
        names.clear();
        continue;
      }
      number = (tag & 3) === 0 ? (number + 1) % 2 ** 32 : c.u32();
      if ((tag & 3) === 2) names.set(number, `${readNames(c).join('/')} ${c.text(c.u16())}`);
      const timeKind = (tag >> 2) & 3;
      if (timeKind === 1) time += BigInt(c.i32());
      if (timeKind === 2) time = c.i64();
      const value = [c.f64, () => 0, c.u8, c.i16, c.i32, c.f32][tag >> 4]?.() ?? Number.NaN;
      samples.push({ series: names.get(number) ?? `unknown ${number}`, time: Number(time), value });
    }
  }
  return samples;
}

export interface StoredSeries {
  names: string[];
  metric: string;
  frequency: number;
  anchor: number;
  blocks: { first: number; open: boolean; bins: Float64Array }[];
}

/** Series of one checkpoint frame. */
export function readCheckpoint(frame: Uint8Array): StoredSeries[] {
  const series: StoredSeries[] = [];
  const c = new Cursor(frame);
  while (c.at < frame.length) {
    const names = readNames(c);
    const metric = c.text(c.u16());
    const frequency = c.u32();
    const anchor = Number(c.i64());
    const end = c.u32() + 2 + c.at;
    const blocks = c.list(c.u16(), () => {
      const first = c.i32();
      const open = c.u8() === 1;
      const { bins, size } = readBlock(frame.subarray(c.at));
      c.at += size;
      return { first, open, bins };
    });
    if (c.at !== end) throw new Error(`${names} ${metric}: blocks end at ${c.at}, expected ${end}`);
    series.push({ names, metric, frequency, anchor, blocks });
  }
  return series;
}

const half = (bins: number): number => Math.ceil(bins / 2);

/** Both lanes of w-bit integers, in order of the bins. */
function readLanes(c: Cursor, bins: number, width: number): bigint[] {
  const laneBytes = Math.ceil((half(bins) * width) / 8);
  const lanes = [0, 1].map((lane) => c.bytes.subarray(c.at + lane * laneBytes, c.at + (lane + 1) * laneBytes));
  c.at += 2 * laneBytes;
  return Array.from({ length: bins }, (_, i) => {
    const [lane, item] = i < half(bins) ? [0, i] : [1, i - half(bins)];
    let value = 0n;
    for (let bit = 0; bit < width; bit++) {
      const at = item * width + bit;
      value |= BigInt(((lanes[lane]?.[at >> 3] ?? 0) >> (at & 7)) & 1) << BigInt(bit);
    }
    return value;
  });
}

/** Bins of a list of skips. */
function readSkips(c: Cursor, entries: number): number[] {
  let bin = 0;
  return c.list(entries, () => {
    bin += c.u8();
    return bin;
  });
}

function nearestEven(v: number): bigint {
  if (Math.abs(v) >= 2 ** 63) return v < 0 ? -(1n << 63n) : (1n << 63n) - 1n;
  const floor = Math.floor(v);
  const rest = v - floor;
  return BigInt(rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1);
}

const scaled = (v: number, k: number): bigint => nearestEven(v * (POWERS[k] ?? 1));
const divided = (i: bigint, k: number): number => Number(i) / (POWERS[k] ?? 1);

const bitsOf = (v: number): bigint => new BigInt64Array(new Float64Array([v]).buffer)[0] ?? 0n;
const doubleOf = (bits: bigint): number =>
  new Float64Array(new BigInt64Array([BigInt.asIntN(64, bits)]).buffer)[0] ?? 0;

function readEntries(
  c: Cursor,
  runs: boolean,
  a: number,
  b: number,
  bins: number,
  least: number,
  most: number,
): number[] {
  const [kind, common, k] = [a & 3, (a >> 2) & 3, a >> 4];
  const other = [least, most][common] ?? c.f64();
  const steps = runs ? c.list(b, c.u8) : readSkips(c, b);
  const read = [c.u8, c.u16, c.u32][kind];
  const values = c.list(b, () => (read ? divided(scaled(least, k) + BigInt(read()), k) : c.f64()));
  if (runs) return steps.flatMap((length, i) => new Array<number>(length).fill(values[i] ?? 0));
  const out = new Array<number>(bins).fill(other);
  steps.forEach((bin, i) => {
    out[bin] = values[i] ?? 0;
  });
  return out;
}

function readIntegers(c: Cursor, codec: number, a: number, b: number, bins: number, least: number): number[] {
  const [width, frameKind] = [a & 63, a >> 6];
  const [patches, patchBytes, k] = [b & 63, ((b >> 6) & 7) + 1, (b >> 9) & 15];
  const [multiply, hasDivisor, hasMisfits] = [b & (1 << 13), b & (1 << 14), b & (1 << 15)];
  let items = readLanes(c, bins, width);
  const shift = BigInt(Math.max(0, width - 8));
  const frame = frameKind === 0 ? 0n : frameKind === 1 ? BigInt(c.i16()) << shift : c.i64();
  items = items.map((item) => item + frame);
  const divisor = hasDivisor ? c.i64() : 1n;
  const patched = readSkips(c, patches);
  for (const bin of patched) items[bin] = (items[bin] ?? 0n) + (c.signed(patchBytes) << BigInt(width));
  if (codec === 4 || codec === 6) {
    let sum = 0n;
    items = items.map((difference, i) => {
      sum = (i === half(bins) ? 0n : sum) + difference;
      return sum;
    });
  }
  if (codec >= 5) return items.map((item) => doubleOf(bitsOf(least) + item));
  const values = items.map((item) => {
    const integer = BigInt.asIntN(64, scaled(least, k) + divisor * item);
    return multiply ? Number(integer) * (INVERSES[k] ?? 1) : divided(integer, k);
  });
  if (hasMisfits) {
    const misfits = readSkips(c, c.u8());
    for (const bin of misfits) values[bin] = c.f64();
  }
  return values;
}

function readSplit(c: Cursor, cut: number, b: number, bins: number): number[] {
  const [codeBits, entries, exceptions] = [b & 7, ((b >> 3) & 31) + 1, b >> 8];
  const lowers = readLanes(c, bins, cut);
  const codes = readLanes(c, bins, codeBits);
  const dictionary = c.list(entries, c.u32);
  const uppers = codes.map((code) => dictionary[Number(code)] ?? 0);
  for (const bin of readSkips(c, exceptions)) uppers[bin] = c.u32();
  return lowers.map((lower, i) => doubleOf((BigInt(uppers[i] ?? 0) << BigInt(cut)) | lower));
}

/** Whether each bin is missing. */
function readGaps(c: Cursor, bins: number): boolean[] {
  const missing = new Array<boolean>(bins).fill(false);
  const runs = c.u16();
  if (runs === 0) {
    const bitmap = c.list(Math.ceil(bins / 8), c.u8);
    return missing.map((_, i) => (((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1) === 1);
  }
  for (let r = 0; r < runs; r++) {
    const start = c.u16();
    missing.fill(true, start, start + c.u16());
  }
  return missing;
}

/** One block. */
export function readBlock(bytes: Uint8Array): { bins: Float64Array; size: number; codec: number } {
  const c = new Cursor(bytes);
  const [codec, a, b, sizes] = [c.u8(), c.u8(), c.u16(), c.u32()];
  const [count, gaps, size] = [sizes & 1023, (sizes >> 10) & 1023, ((sizes >> 20) & 1023) * 8];
  const answer = (values: number[], missing: boolean[] = []): { bins: Float64Array; size: number; codec: number } => ({
    bins: Float64Array.from(values, (value, i) => (missing[i] ? Number.NaN : value)),
    size,
    codec,
  });
  if (codec === 0) {
    if (gaps === count) return answer(new Array<number>(count).fill(Number.NaN));
    const value = c.f64();
    return answer(new Array<number>(count).fill(value), gaps ? readGaps(c, count) : []);
  }
  c.at += 8;
  const [least, most] = [c.f64(), c.f64()];
  if (codec === 8) return answer(c.list(count, c.f64));
  const missing = gaps ? readGaps(c, count) : [];
  if (missing.filter(Boolean).length !== gaps) throw new Error(`the gap section does not hold ${gaps} gaps`);
  if (codec <= 2) return answer(readEntries(c, codec === 2, a, b, count, least, most), missing);
  if (codec <= 6) return answer(readIntegers(c, codec, a, b, count, least), missing);
  return answer(readSplit(c, a, b, count), missing);
}
