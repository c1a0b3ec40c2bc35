/**
 * Checks lines of one field that are stored elsewhere, and finds the runs of each partition: what `readLines` says of lines, with
 * nothing stored. A line's tags come again with other metrics, and its metric with other tags. So both are remembered
 * apart, which takes a tenth of the memory that whole prefixes would.
 *
 * Fast path, a line: 1. the metric is mostly that of the line before, else it is found by hash; 2. the tags that followed the
 * last line's tags the last time are compared with the text, else they are looked up by hash: they lead to the partition;
 * 3. ` value=`, the number and the timestamp are read as in `readLines`. Whatever differs goes the slow way, which decides.
 */
import { LineError } from '../../src/wasm/tables/codes';
import { bytesEqual } from '../memory/bytes';
import { Key, keyAt, keyFind, tagsFind, tagsMatch } from '../series/keys';
import { metricFind } from '../series/metrics';
import { fieldsEnd } from '../text/line-end';
import { parseTerminated, parseUnsigned, parsed } from '../text/number';
import { batch, refuse, source } from './batch';
import { clock } from './clock';
import { NO_TIME, SEVEN_BYTES, VALUE_WORD, noteAgain, prefixLength, slowLine } from './lines';
import { runs } from './runs';

/** What the line before was made of. */
@unmanaged
class Before {
  /** Slot of its tags; 0: none is known. */
  tags: u32;
  /** Its metric's name in the batch's text. */
  name: usize;
  nameLength: i32;
}

const before = changetype<Before>(memory.data(offsetof<Before>(), 8));

/** Checks the lines of [p, end); a newline stands at `end`. */
export function checkLines(p: usize, end: usize): void {
  // As in `readLines`: the last timestamp's ten digits as bytes, and whether it is at fault.
  let timeHigh: u64 = 0;
  let timeLow: u32 = NO_TIME;
  let fault: i32 = LineError.None;
  let lines = 0;
  before.tags = 0;
  before.nameLength = 0;
  while (p < end) {
    lines++;
    const tags = tagsOf(p, end);
    if (tags && !isMetric(p, <i32>(tags - p))) {
      const next = skipKnown(p, end);
      p = next ? next : slowLine(p, end, lines);
      continue;
    }
    const key = tags ? keyOf(tags, end) : null;
    if (key) {
      const q = tags + <usize>key.length;
      if ((load<u64>(q) & SEVEN_BYTES) == VALUE_WORD && q + 8 < end) {
        let v = parseTerminated(q + 7);
        if (v && load<u8>(v) == 0x20) {
          v++;
          let stop = v + 10;
          const isSame =
            stop < end && load<u8>(stop) == 0x0a && load<u64>(v) == timeHigh && <u32>load<u16>(v + 8) == timeLow;
          if (!isSame) {
            stop = parseUnsigned(v, end);
            if (stop && (stop == end || load<u8>(stop) == 0x0a)) {
              fault = clock.error(source.timeOf(parsed.integer));
              timeHigh = load<u64>(v);
              timeLow = stop == v + 10 ? <u32>load<u16>(v + 8) : NO_TIME;
            } else stop = 0;
          }
          if (stop && !fault) {
            const offset = <u32>(p - source.text);
            if (!runs.add(key.sibling, offset, <u32>(stop - p) + 1, lines - 1, 1)) refuse(lines, LineError.OutOfMemory);
            p = stop + 1;
            continue;
          }
        }
      }
    }
    p = slowLine(p, end, lines);
  }
  batch.lines = lines;
}

/** The comma behind the measurement of the line at p; 0 when an escape, a blank or the line's end comes first. */
function tagsOf(p: usize, end: usize): usize {
  const comma = i8x16.splat(0x2c);
  const blank = i8x16.splat(0x20);
  const escape = i8x16.splat(0x5c);
  const newline = i8x16.splat(0x0a);
  if (load<u8>(p) == 0x23) return 0;
  for (let q = p; q < end; q += 16) {
    const v = v128.load(q);
    const others = v128.or(v128.or(i8x16.eq(v, blank), i8x16.eq(v, escape)), i8x16.eq(v, newline));
    const hits = i8x16.bitmask(v128.or(i8x16.eq(v, comma), others));
    if (!hits) continue;
    q += ctz(hits);
    return q < end && load<u8>(q) == 0x2c ? q : 0;
  }
  return 0;
}

/** Whether lines of this measurement are taken. */
function isMetric(p: usize, n: i32): bool {
  if (n == before.nameLength && bytesEqual(before.name, p, n)) return true;
  if (!metricFind(p, n)) return false;
  before.name = p;
  before.nameLength = n;
  return true;
}

/** The key of the tags at p, linked as the prediction behind the last one; null: they are not known. */
function keyOf(p: usize, end: usize): Key | null {
  const last = keyAt(before.tags);
  const cluster = source.cluster;
  let slot: u32 = last ? last.next : 0;
  const predicted = keyAt(slot);
  if (!predicted || !tagsMatch(predicted, p, end, cluster)) {
    const n = prefixLength(p, end);
    slot = n > 0 ? tagsFind(p, n, cluster) : 0;
    if (!slot) return null;
    if (last) last.next = slot;
  }
  before.tags = slot;
  return keyAt(slot);
}

/** Passes over a line of a metric that is not taken, if it came before. @returns where the next one starts; 0: it did not. */
function skipKnown(p: usize, end: usize): usize {
  const n = prefixLength(p, end);
  if (n <= 0 || !keyFind(p, n, source.cluster)) return 0;
  const q = p + <usize>n;
  const stop = fieldsEnd(q, end);
  noteAgain(p, q, end);
  batch.skipped++;
  return stop + 1;
}
