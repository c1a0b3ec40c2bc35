/**
 * The write-ahead log's bytes, made while samples are stored: one frame a batch. The host writes what has gathered with
 * one call and answers afterwards (src/persistence/log/log-file.ts has the files).
 *
 *   frame.ts draws frames; the payload is records
 *
 *   record   ┌─────┬────────────────┬──────────┬───────┐
 *            │ tag │ series number  │ time     │ value │
 *            └─────┴────────────────┴──────────┴───────┘
 *     tag    bits 0-1  series  0 last + 1 · 1 u32 · 2 definition, u32 and names · 3 the record is a `free`
 *            bits 2-3  time    0 as before · 1 i32 seconds more than before · 2 i64 unix seconds
 *            bits 4-6  value   0 f64 · 1 zero · 2 u8 · 3 i16 · 4 i32 · 5 f32       whatever is exact and shortest
 *   definition   ┌────────────┬──────────────────────────────┬───────────────────────┐
 *                │ u8 #levels │ each: u8 length, bytes       │ u16 length, metric    │   levels: cluster, host, ...
 *                └────────────┴──────────────────────────────┴───────────────────────┘
 *   free         tag 3, i64 `to`, u8 #levels, each: u8 length, bytes
 *
 * "Before" starts at series 0xffffffff and time 0 in each frame. Every segment defines the numbers it uses (`epoch`), so
 * segments can be read alone, and in none of them a number means two series: when a damaged definition is left out, its
 * samples are too, and never become another series'.
 */
import { FrameMagic, LogSeries, LogTime, LogValue, MemoryKind } from '../../src/wasm/tables/codes';
import { FrameField, LoggedField } from '../../src/wasm/tables/layouts';
import { realloc } from '../memory/alloc';
import { writeNames, writeSeriesNames } from '../series/names';
import { Node, Series } from '../series/records';
import { Frame } from './frame';
import { releaseNumbers } from '../series/series';

/** Most bytes of one record: tag, number, five names, metric, time, value. */
const RECORD_MAX: u32 = 1 + 4 + 1 + 5 * 256 + 2 + 1024 + 8 + 8;

@unmanaged
class Log {
  /** Address of the gathered bytes. They stay valid until the next sample is stored. */
  private at: usize;
  /** Bytes gathered: whole frames, plus the open one. */
  private length: u32;
  /** Definitions in the current segment, written or replayed. */
  series: u32;
  private size: u32;
  /** Offset of the open frame. */
  private frame: u32;
  /** Of the record before, in the open frame. */
  private lastTime: i64;
  private lastNumber: u32;
  /** Current segment; series named in an older one are named again. 0: logging is off (replay). */
  private epoch: u32;

  /** Starts a new segment (and logging at all): every series will be named again before its next sample. */
  startSegment(): void {
    this.series = 0;
    this.epoch++;
    releaseNumbers();
  }

  /** Forgets the gathered bytes after the host has written them. */
  clear(): void {
    this.length = 0;
  }

  private get end(): usize {
    return this.at + <usize>this.length;
  }

  /** Makes sure that one more record fits. False when memory is exhausted. */
  private reserve(): bool {
    return this.size - this.length >= RECORD_MAX || this.grow();
  }

  private grow(): bool {
    const want = max<u32>(65536, this.size * 2);
    const p = realloc(this.at, want, MemoryKind.Scratch);
    if (!p) return false;
    this.at = p;
    this.size = want;
    return true;
  }

  /** Opens a frame. False when memory is exhausted. */
  open(): bool {
    if (!this.epoch) return true;
    if (!this.reserve()) return false;
    this.frame = this.length;
    this.length += FrameField.Payload;
    this.lastNumber = ~0;
    this.lastTime = 0;
    return true;
  }

  /** Closes the frame; an empty one leaves no bytes. */
  close(): void {
    if (!this.epoch) return;
    const n = this.length - this.frame - FrameField.Payload;
    if (n) changetype<Frame>(this.at + <usize>this.frame).seal(FrameMagic.Log, n);
    else this.length = this.frame;
  }

  /**
   * Appends a sample to the open frame.
   * @returns false when memory is exhausted; the record is not there then.
   */
  @inline
  sample(s: Series, seconds: i64, value: f64): bool {
    if (!this.epoch) return true;
    if (!this.reserve()) return false;
    const start = this.end;
    let p = start + 1;
    let tag: i32 = 0;
    const number = s.number;
    if (s.epoch != this.epoch) {
      tag = LogSeries.Define;
      p = this.define(p, s);
    } else if (number != this.lastNumber + 1) {
      tag = LogSeries.Number;
      store<u32>(p, number);
      p += 4;
    }
    this.lastNumber = number;
    const delta = seconds - this.lastTime;
    if (delta) {
      if (delta == <i64>(<i32>delta)) {
        tag |= LogTime.Delta;
        store<i32>(p, <i32>delta);
        p += 4;
      } else {
        tag |= LogTime.Full;
        store<i64>(p, seconds);
        p += 8;
      }
      this.lastTime = seconds;
    }
    const whole = <i32>value;
    // Compared as bits: -0 is not 0.
    if (reinterpret<i64>(<f64>whole) == reinterpret<i64>(value)) {
      if (!whole) tag |= LogValue.Zero;
      else if (whole == (whole & 0xff)) {
        tag |= LogValue.U8;
        store<u8>(p, <u8>whole);
        p += 1;
      } else if (whole == <i32>(<i16>whole)) {
        tag |= LogValue.I16;
        store<i16>(p, <i16>whole);
        p += 2;
      } else {
        tag |= LogValue.I32;
        store<i32>(p, whole);
        p += 4;
      }
    } else if (reinterpret<i64>(<f64>(<f32>value)) == reinterpret<i64>(value)) {
      tag |= LogValue.F32;
      store<f32>(p, <f32>value);
      p += 4;
    } else {
      store<f64>(p, value);
      p += 8;
    }
    store<u8>(start, <u8>tag);
    this.length += <u32>(p - start);
    return true;
  }

  /** Writes the number and the names of a series; returns the end. */
  private define(p: usize, s: Series): usize {
    store<u32>(p, s.number);
    this.series++;
    s.epoch = this.epoch;
    return writeSeriesNames(p + 4, s);
  }

  /**
   * Appends "everything below the node that ends before `to` was freed" as a frame of its own. Series are named again
   * afterwards: the reader forgets all numbers, because some of the series are gone. False when memory is exhausted.
   */
  free(node: Node, to: i64): bool {
    if (!this.epoch) return true;
    if (!this.open()) return false;
    const start = this.end;
    store<u8>(start, <u8>LogSeries.Free);
    store<i64>(start + 1, to);
    this.length += <u32>(writeNames(start + 9, node) - start);
    this.close();
    this.epoch++;
    return true;
  }
}

export const log = changetype<Log>(memory.data(offsetof<Log>(), 8));

if (
  offsetof<Log>('at') != LoggedField.At ||
  offsetof<Log>('length') != LoggedField.Length ||
  offsetof<Log>('series') != LoggedField.Series
) {
  ERROR('layouts.ts has another layout of the log');
}

/** `Log.sample`, where it need not be copied into its caller. */
export function logSample(s: Series, seconds: i64, value: f64): bool {
  return log.sample(s, seconds, value);
}
