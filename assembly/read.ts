/** Reading bins [from, from + n) of a series: copied, added up, or as statistics. Missing bins are NaN. */
import { addBlock, blockCount, blockGaps, blockMax, blockMin, blockSum, decodeBlock } from "./codec/block";
import { Entry, binsScratch, blockIndex } from "./blocks";
import { addInto, fillNaN, stats, statCount, statMax, statMin, statSum } from "./kernels";
import { blockCountOf, openBins, openLength, openStart } from "./series";

/** Copies the bins to dst. Precondition: 64 bytes behind dst's n bins may be overwritten. */
export function readBins(s: usize, from: i32, n: i32, dst: usize): void {
  const end = from + n;
  const blocks = blockCountOf(s);
  let at = from;
  for (let i = max(0, blockIndex(s, from)); i < blocks && at < end; i++) {
    const e = Entry.at(s, i);
    const start = Entry.start(e);
    const stop = start + Entry.count(e);
    if (stop <= at) continue;
    if (start >= end) break;
    if (start > at) {
      fillNaN(dst + (<usize>(at - from) << 3), start - at);
      at = start;
    }
    const last = min(stop, end);
    if (at == start && last == stop) Entry.read(e, dst + (<usize>(at - from) << 3));
    else {
      Entry.read(e, binsScratch);
      memory.copy(dst + (<usize>(at - from) << 3), binsScratch + (<usize>(at - start) << 3), <usize>(last - at) << 3);
    }
    at = last;
  }
  if (at < end && openLength(s)) {
    const start = openStart(s);
    const last = min(start + openLength(s), end);
    const first = max(at, start);
    if (last > first) {
      fillNaN(dst + (<usize>(at - from) << 3), first - at);
      memory.copy(dst + (<usize>(first - from) << 3), openBins(s) + (<usize>(first - start) << 3), <usize>(last - first) << 3);
      at = last;
    }
  }
  if (at < end) fillNaN(dst + (<usize>(at - from) << 3), end - at);
}

/** Adds the bins to acc; a missing bin makes the sum missing. */
export function addBins(s: usize, from: i32, n: i32, acc: usize): void {
  const end = from + n;
  const blocks = blockCountOf(s);
  let at = from;
  for (let i = max(0, blockIndex(s, from)); i < blocks && at < end; i++) {
    const e = Entry.at(s, i);
    const start = Entry.start(e);
    const stop = start + Entry.count(e);
    if (stop <= at) continue;
    if (start >= end) break;
    if (start > at) {
      fillNaN(acc + (<usize>(at - from) << 3), start - at);
      at = start;
    }
    const last = min(stop, end);
    const dst = acc + (<usize>(at - from) << 3);
    if (Entry.isLoose(e)) addInto(dst, Entry.bins(e) + (<usize>(at - start) << 3), last - at);
    else if (at == start && last == stop) addBlock(Entry.block(e), dst);
    else {
      decodeBlock(Entry.block(e), binsScratch);
      addInto(dst, binsScratch + (<usize>(at - start) << 3), last - at);
    }
    at = last;
  }
  if (at < end && openLength(s)) {
    const start = openStart(s);
    const last = min(start + openLength(s), end);
    const first = max(at, start);
    if (last > first) {
      fillNaN(acc + (<usize>(at - from) << 3), first - at);
      addInto(acc + (<usize>(first - from) << 3), openBins(s) + (<usize>(first - start) << 3), last - first);
      at = last;
    }
  }
  if (at < end) fillNaN(acc + (<usize>(at - from) << 3), end - at);
}

export let rangeCount: i32 = 0;
export let rangeSum: f64 = 0;
export let rangeMin: f64 = Infinity;
export let rangeMax: f64 = -Infinity;

function take(count: i32, sum: f64, low: f64, high: f64): void {
  if (!count) return;
  rangeCount += count;
  rangeSum += sum;
  rangeMin = min(rangeMin, low);
  rangeMax = max(rangeMax, high);
}

/** Statistics over the bins, into the globals above. Blocks covered whole answer from their headers. */
export function rangeStats(s: usize, from: i32, n: i32): void {
  rangeCount = 0;
  rangeSum = 0;
  rangeMin = Infinity;
  rangeMax = -Infinity;
  const end = from + n;
  const blocks = blockCountOf(s);
  for (let i = max(0, blockIndex(s, from)); i < blocks; i++) {
    const e = Entry.at(s, i);
    const start = Entry.start(e);
    const stop = start + Entry.count(e);
    if (stop <= from) continue;
    if (start >= end) break;
    const block = Entry.block(e);
    if (!Entry.isLoose(e) && start >= from && stop <= end) {
      take(blockCount(block) - blockGaps(block), blockSum(block), blockMin(block), blockMax(block));
      continue;
    }
    Entry.read(e, binsScratch);
    const first = max(from, start);
    stats(binsScratch + (<usize>(first - start) << 3), min(stop, end) - first);
    take(statCount, statSum, statMin, statMax);
  }
  const first = max(from, openStart(s));
  const last = min(end, openStart(s) + openLength(s));
  if (last > first) {
    stats(openBins(s) + (<usize>(first - openStart(s)) << 3), last - first);
    take(statCount, statSum, statMin, statMax);
  }
}
