/** The output buffer: one owner, one `ensure`, one `reset`. Answers, checkpoint frames and dumps are made here. */
import { MemoryKind } from '../../src/wasm/codes';
import { alloc, capacity, free, realloc } from './alloc';

const FIRST: u32 = 65536;
/** A buffer that one large answer has grown beyond this is given back afterwards. */
const KEEP: u32 = 2 << 20;

let base: usize = 0;
/** End of the bytes written so far. Valid after `ensure`; writers store at it and move it on. */
export let outEnd: usize = 0;
/** Set when memory was exhausted: the answer is cut off and must not be used. */
export let outFailed: bool = false;

/** Makes room for n more bytes. False when memory is exhausted. */
// @ts-ignore: decorator
@inline
export function ensure(n: u32): bool {
  return <u32>(outEnd - base) + n <= size ? true : growOut(n);
}

let size: u32 = 0;

function growOut(n: u32): bool {
  const used = <u32>(outEnd - base);
  const want = max(max(FIRST, size + (size >> 1)), used + n);
  const p = base ? realloc(base, want, MemoryKind.Scratch) : alloc(want, MemoryKind.Scratch);
  if (!p) {
    outFailed = true;
    return false;
  }
  base = p;
  size = capacity(p);
  outEnd = p + used;
  return true;
}

/** Marks the output as cut off. Returns false, for `return outFail()`. */
export function outFail(): bool {
  outFailed = true;
  return false;
}

/** Moves the end on, after bytes were stored there. */
// @ts-ignore: decorator
@inline
export function advance(to: usize): void {
  outEnd = to;
}

/** Address of the written bytes; they stay valid until the next call that writes. */
export function outBytes(): usize {
  return base;
}

/** Number of bytes written. */
export function outLength(): u32 {
  return <u32>(outEnd - base);
}

/** Forgets what was written. */
export function outReset(): void {
  if (size > KEEP) {
    free(base, MemoryKind.Scratch);
    base = 0;
    size = 0;
  }
  outEnd = base;
  outFailed = false;
}

/** Writes bytes. */
export function put(p: usize, n: i32): void {
  if (!ensure(n)) return;
  memory.copy(outEnd, p, n);
  outEnd += n;
}

/** Writes one character. */
export function putChar(c: u8): void {
  if (!ensure(1)) return;
  store<u8>(outEnd, c);
  outEnd++;
}

/** Writes a literal of ASCII characters; the caller has ensured its length and 16 bytes more. */
export function putAscii(text: string): void {
  const n = <usize>text.length;
  const src = changetype<usize>(text);
  // Eight UTF-16 units become eight bytes at a time; what is written too much is written over later.
  for (let i: usize = 0; i < n; i += 8) {
    const v = v128.load(src + (i << 1));
    v128.store64_lane(outEnd + i, i8x16.narrow_i16x8_u(v, v), 0);
  }
  outEnd += n;
}
