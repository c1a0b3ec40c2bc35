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
 * "Before" starts at series 0xffffffff and time 0 in each frame. Every segment defines the numbers it uses (`logEpoch`), so
 * segments can be read alone, and in none of them a number means two series: when a damaged definition is left out, its
 * samples are too, and never become another series'.
 */
import { FrameMagic, LogSeries, LogTime, LogValue, MemoryKind } from '../../src/wasm/codes';
import { FrameField } from '../../src/wasm/layouts';
import { alloc, realloc } from '../memory/alloc';
import { writeNames, writeSeriesNames } from '../series/names';
import { Node, Series } from '../series/records';
import { Frame } from './frame';
import { releaseNumbers } from '../series/series';

/** Most bytes of one record: tag, number, five names, metric, time, value. */
const RECORD_MAX: u32 = 1 + 4 + 1 + 5 * 256 + 2 + 1024 + 8 + 8;

let buffer: usize = 0;
let size: u32 = 0;
/** Bytes gathered: whole frames, plus the open one. */
export let logLength: u32 = 0;
let frame: u32 = 0;
let lastNumber: u32 = 0;
let lastTime: i64 = 0;
/** Current segment; series named in an older one are named again. 0 = logging is off (replay). */
export let logEpoch: u32 = 0;

/** Starts a new segment (and logging at all): every series will be named again before its next sample. */
export function logStartSegment(): void {
  logEpoch++;
  releaseNumbers();
}

/** Address of the gathered bytes. They stay valid until the next sample is stored. */
export function logBytes(): usize {
  return buffer;
}

/** Forgets the gathered bytes after the host has written them. */
export function logTaken(): void {
  logLength = 0;
}

/** Makes sure that one more record fits. False when memory is exhausted. */
// @ts-ignore: decorator
@inline
function reserve(): bool {
  return size - logLength >= RECORD_MAX || growBuffer();
}

function growBuffer(): bool {
  const want = max<u32>(65536, size * 2);
  const p = buffer ? realloc(buffer, want, MemoryKind.Scratch) : alloc(want, MemoryKind.Scratch);
  if (!p) return false;
  buffer = p;
  size = want;
  return true;
}

/** Opens a frame. False when memory is exhausted. */
export function frameOpen(): bool {
  if (!logEpoch) return true;
  if (!reserve()) return false;
  frame = logLength;
  logLength += FrameField.Payload;
  lastNumber = ~0;
  lastTime = 0;
  return true;
}

/** Closes the frame; an empty one leaves no bytes. */
export function frameClose(): void {
  if (!logEpoch) return;
  const n = logLength - frame - FrameField.Payload;
  if (!n) {
    logLength = frame;
    return;
  }
  changetype<Frame>(buffer + <usize>frame).seal(FrameMagic.Log, n);
}

/**
 * Appends a sample to the open frame.
 * @returns false when memory is exhausted; the record is not there then.
 */
// @ts-ignore: decorator
@inline
export function logSample(s: Series, seconds: i64, value: f64): bool {
  if (!logEpoch) return true;
  if (!reserve()) return false;
  const start = buffer + <usize>logLength;
  let p = start + 1;
  let tag: i32 = 0;
  const number = s.number;
  if (s.epoch != logEpoch) {
    tag = LogSeries.Define;
    p = writeDefinition(p, s);
  } else if (number != lastNumber + 1) {
    tag = LogSeries.Number;
    store<u32>(p, number);
    p += 4;
  }
  lastNumber = number;
  const delta = seconds - lastTime;
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
    lastTime = seconds;
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
  logLength += <u32>(p - start);
  return true;
}

/** Writes the number and the names of a series; returns the end. */
function writeDefinition(p: usize, s: Series): usize {
  store<u32>(p, s.number);
  s.epoch = logEpoch;
  return writeSeriesNames(p + 4, s);
}

/**
 * Appends "everything below the node that ends before `to` was freed" as a frame of its own. Series are named again
 * afterwards: the reader forgets all numbers, because some of the series are gone.
 */
export function logFree(node: Node, to: i64): bool {
  if (!logEpoch) return true;
  if (!frameOpen()) return false;
  const start = buffer + <usize>logLength;
  store<u8>(start, <u8>LogSeries.Free);
  store<i64>(start + 1, to);
  logLength += <u32>(writeNames(start + 9, node) - start);
  frameClose();
  logEpoch++;
  return true;
}
