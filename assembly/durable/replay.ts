/** Reads the log's records back (log.ts draws them). */
import { LineError, LogSeries, LogTag, LogTime, LogValue, MemoryKind, Replay } from '../../src/wasm/tables/codes';
import { ReplayedField } from '../../src/wasm/tables/layouts';
import { free, realloc } from '../memory/alloc';
import { log } from './log';
import { namesRead, readNames } from '../series/names';
import { metricFind } from '../series/metrics';
import { Series } from '../series/records';
import { freeBelow } from '../series/retention';
import { writeSample } from '../series/samples';
import { seriesEnsure, setAnchor } from '../series/series';
import { nodePrune } from '../series/tree';

const MAX_NUMBER: u32 = 1 << 28;
const LEFT_OUT: u32 = 1;

@unmanaged
class Replayed {
  /** Samples stored by the last `replayFrame`, and those left out (too old, unknown metric, another partition's). */
  stored: u32;
  leftOut: u32;
  /** Of these, samples whose series was named in a frame that is damaged. */
  unnamed: u32;
  /** `free` records met since the start. */
  frees: u32;
  /** Series of other partitions' hosts that the last `replayFrame` has named; their samples are left out. */
  foreign: u32;
}

if (
  offsetof<Replayed>('stored') != ReplayedField.Stored ||
  offsetof<Replayed>('leftOut') != ReplayedField.LeftOut ||
  offsetof<Replayed>('unnamed') != ReplayedField.Unnamed ||
  offsetof<Replayed>('frees') != ReplayedField.Frees ||
  offsetof<Replayed>('foreign') != ReplayedField.Foreign
) {
  ERROR('layouts.ts has another layout of what was replayed');
}

export const replayed = changetype<Replayed>(memory.data(offsetof<Replayed>(), 8));

/** Series by the numbers of the segment that is read. */
@unmanaged
class Numbers {
  /** u32 each: an address, LEFT_OUT, or 0 when no definition of it was read. */
  at: usize;
  capacity: u32;
  /** Where the last definition ended. */
  definitionEnd: usize;

  slot(number: u32): usize {
    return this.at + (<usize>number << 2);
  }

  /** Makes room for a number. False when memory is exhausted. */
  reserve(number: u32): bool {
    if (number < this.capacity) return true;
    const want = max<u32>(1024, max(number + 1, this.capacity * 2));
    const grown = realloc(this.at, want << 2, MemoryKind.Scratch);
    if (!grown) return false;
    this.at = grown;
    memory.fill(this.slot(this.capacity), 0, <usize>(want - this.capacity) << 2);
    this.capacity = want;
    return true;
  }
}

const numbers = changetype<Numbers>(memory.data(offsetof<Numbers>(), 8));

/** Gives the numbers' memory back: all segments are read. */
export function replayEnd(): void {
  free(numbers.at, MemoryKind.Scratch);
  numbers.at = 0;
  numbers.capacity = 0;
}

/** A new segment begins. */
export function replayBegin(): void {
  log.series = 0;
  forgetNumbers();
}

function forgetNumbers(): void {
  if (numbers.at) memory.fill(numbers.at, 0, <usize>numbers.capacity << 2);
}

/**
 * Stores the samples of one frame whose CRC was checked.
 * @param since unix seconds: older samples are left out. @param self, partitions whose hosts are taken.
 * @returns `Replay`; of an unsound frame the records up to the nonsense are stored.
 */
export function replayFrame(p: usize, n: u32, since: f64, self: i32, partitions: i32): Replay {
  const end = p + <usize>n;
  const oldest = <i64>since;
  let number: u32 = ~0;
  let time: i64 = 0;
  replayed.stored = 0;
  replayed.leftOut = 0;
  replayed.unnamed = 0;
  replayed.foreign = 0;
  while (p < end) {
    const tag = <i32>load<u8>(p++);
    const kind = tag & LogTag.Series;
    if (kind == LogSeries.Free) {
      if (p + 9 > end) return Replay.Unsound;
      const to = load<i64>(p);
      const node = readNames(p + 8, end, false, self, partitions);
      if (!namesRead.end) return Replay.Unsound;
      p = namesRead.end;
      replayed.frees++;
      if (node) {
        freeBelow(node, to);
        // Freed series' addresses are dead; the segment names them again after a free.
        forgetNumbers();
      }
      continue;
    }
    if (kind == LogSeries.Next) number++;
    else {
      if (p + 4 > end) return Replay.Unsound;
      number = load<u32>(p);
      p += 4;
      if (kind == LogSeries.Define) {
        const defined = define(p, end, number, self, partitions);
        if (defined != Replay.Done) return defined;
        p = numbers.definitionEnd;
      }
    }
    const timeKind = tag & LogTag.Time;
    if (timeKind == LogTime.Delta) {
      if (p + 4 > end) return Replay.Unsound;
      time += <i64>load<i32>(p);
      p += 4;
    } else if (timeKind == LogTime.Full) {
      if (p + 8 > end) return Replay.Unsound;
      time = load<i64>(p);
      p += 8;
    }
    let value: f64 = 0;
    const valueKind = tag & LogTag.Value;
    if (valueKind == LogValue.F64) {
      value = load<f64>(p);
      p += 8;
    } else if (valueKind == LogValue.U8) {
      value = <f64>load<u8>(p);
      p += 1;
    } else if (valueKind == LogValue.I16) {
      value = <f64>load<i16>(p);
      p += 2;
    } else if (valueKind == LogValue.I32) {
      value = <f64>load<i32>(p);
      p += 4;
    } else if (valueKind == LogValue.F32) {
      value = <f64>load<f32>(p);
      p += 4;
    }
    if (p > end) return Replay.Unsound;
    const known = number < numbers.capacity ? load<u32>(numbers.slot(number)) : 0;
    if (known <= LEFT_OUT) {
      replayed.leftOut++;
      if (!known) replayed.unnamed++;
      continue;
    }
    const s = changetype<Series>(<usize>known);
    const frequency = <i64>s.frequency;
    if (time < oldest) {
      // Left out, but the series keeps the bins that its first sample gave it.
      if (!s.isAnchored) setAnchor(s, time - frequency / 2, 0);
      replayed.leftOut++;
      continue;
    }
    const error = replaySample(s, time, value, frequency);
    if (error == LineError.OutOfMemory) return Replay.OutOfMemory;
    if (error == LineError.None) replayed.stored++;
    else replayed.leftOut++;
  }
  return Replay.Done;
}

/** `writeSample`; what retention had emptied in between begins anew, as it did when the sample came. */
function replaySample(s: Series, time: i64, value: f64, frequency: i64): i32 {
  const error = writeSample(s, time, value, frequency);
  if (error != LineError.TimestampTooFar || !s.isEmpty) return error;
  setAnchor(s, time - frequency / 2, 0);
  return writeSample(s, time, value, frequency);
}

/** Reads a definition; its end is in `numbers`. */
function define(p: usize, end: usize, number: u32, self: i32, partitions: i32): Replay {
  if (number >= MAX_NUMBER) return Replay.Unsound;
  const node = readNames(p, end, true, self, partitions);
  if (!namesRead.end) return Replay.Unsound;
  if (namesRead.areForeign) replayed.foreign++;
  else if (!node) return Replay.OutOfMemory;
  p = namesRead.end;
  if (p + 2 > end) return Replay.Unsound;
  const length = <i32>load<u16>(p);
  numbers.definitionEnd = p + 2 + length;
  if (numbers.definitionEnd > end) return Replay.Unsound;
  const metric = metricFind(p + 2, length);
  let s: Series | null = null;
  if (node && metric) {
    s = seriesEnsure(node, metric);
    if (!s) return Replay.OutOfMemory;
  } else if (node) nodePrune(node);
  if (!numbers.reserve(number)) return Replay.OutOfMemory;
  log.series++;
  store<u32>(numbers.slot(number), s ? <u32>changetype<usize>(s) : LEFT_OUT);
  return Replay.Done;
}
