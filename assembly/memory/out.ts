/** The output buffer: one owner, one `ensure`, one `reset`. Answers, checkpoint frames and dumps are made here. */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { OutputField } from '../../src/wasm/tables/layouts';
import { capacity, free, realloc } from './alloc';

const FIRST: u32 = 65536;
/** A buffer that one large answer has grown beyond this is given back afterwards. */
const KEEP: u32 = 2 << 20;

@unmanaged
class Output {
  /** Address of the written bytes; they stay valid until more are written. */
  base: usize;
  /** End of the bytes written so far. Valid after `ensure`; writers store at it and move it on. */
  end: usize;
  private size: u32;
  /** Memory was exhausted: the output is cut off and must not be used. */
  failed: bool;

  /** Number of bytes written. */
  get length(): u32 {
    return <u32>(this.end - this.base);
  }

  /** Makes room for n more bytes. False when memory is exhausted. */
  @inline
  ensure(n: u32): bool {
    return this.length + n <= this.size ? true : this.grow(n);
  }

  private grow(n: u32): bool {
    const used = this.length;
    const want = max(max(FIRST, this.size + (this.size >> 1)), used + n);
    const p = realloc(this.base, want, MemoryKind.Scratch);
    if (!p) return this.fail();
    this.base = p;
    this.size = capacity(p);
    this.end = p + used;
    return true;
  }

  /** Marks the output as cut off. Returns false, for `return out.fail()`. */
  fail(): bool {
    this.failed = true;
    return false;
  }

  /** Forgets what was written. */
  reset(): void {
    if (this.size > KEEP) {
      free(this.base, MemoryKind.Scratch);
      this.base = 0;
      this.size = 0;
    }
    this.end = this.base;
    this.failed = false;
  }

  /** Writes bytes. */
  put(p: usize, n: i32): void {
    if (!this.ensure(n)) return;
    memory.copy(this.end, p, n);
    this.end += n;
  }

  /** Writes one character. */
  putChar(c: u8): void {
    if (!this.ensure(1)) return;
    store<u8>(this.end, c);
    this.end++;
  }

  /** Writes a literal of ASCII characters; the caller has ensured its length and 16 bytes more. */
  putAscii(text: string): void {
    const n = <usize>text.length;
    const src = changetype<usize>(text);
    const dst = this.end;
    // Eight UTF-16 units become eight bytes at a time; what is written too much is written over later.
    for (let i: usize = 0; i < n; i += 8) {
      const v = v128.load(src + (i << 1));
      v128.store64_lane(dst + i, i8x16.narrow_i16x8_u(v, v), 0);
    }
    this.end = dst + n;
  }
}

if (offsetof<Output>('base') != OutputField.At || offsetof<Output>('end') != OutputField.End) {
  ERROR('layouts.ts has another layout of the output buffer');
}

export const out = changetype<Output>(memory.data(offsetof<Output>(), 8));
