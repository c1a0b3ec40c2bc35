/** Counts for /metrics and `debug?summary=1`. */
import { LOOSE_BLOCKS } from '../../src/wasm/tables/codes';
import { CountedField } from '../../src/wasm/tables/layouts';
import { bytesEqual } from '../memory/bytes';
import { stats } from '../read/kernels';
import { Statistics } from '../read/statistics';
import { Metric } from '../series/metrics';
import { Node, Series } from '../series/records';
import { allSeries, nextStep, seriesByNumber } from '../series/series';
import { DEPTH_HOST } from '../series/tree';

const CODECS: u32 = LOOSE_BLOCKS + 1;

@unmanaged
class Counted {
  samples: f64;
  /** Bytes of blocks, open ones included. */
  bytes: f64;
  series: u32;

  clear(): void {
    memory.fill(changetype<usize>(this), 0, CountedField.Blocks + 4 * CODECS);
  }

  /** Counts a sealed block by its codec; a loose one by LOOSE_BLOCKS. */
  addBlock(codec: i32): void {
    const counter = changetype<usize>(this) + CountedField.Blocks + (<usize>codec << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
}

if (
  offsetof<Counted>('samples') != CountedField.Samples ||
  offsetof<Counted>('bytes') != CountedField.Bytes ||
  offsetof<Counted>('series') != CountedField.Series ||
  offsetof<Counted>() != CountedField.Blocks
) {
  ERROR('layouts.ts has another layout of what was counted');
}

/** What was counted since `countBegin`; behind it, u32 each, the blocks of each codec. */
export const counted = changetype<Counted>(memory.data(CountedField.Blocks + 4 * CODECS, 8));

@unmanaged
class CountStep {
  /** The first series that the last step counted; null: there was none. */
  first: Series | null;
}

const step = changetype<CountStep>(memory.data(offsetof<CountStep>(), 8));

/** Starts counting. */
export function countBegin(): void {
  counted.clear();
}

/**
 * Counts series [from, from + n) by number.
 * @param alike stops before the first series of another metric, cluster or kind of level than the first one. A collector
 *   sends the lines of a metric one after the other, so there are mostly many in a row.
 * @returns where to go on; `SeriesStep.End`.
 */
export function countStep(from: u32, n: u32, alike: bool): f64 {
  const end = min(from + n, allSeries.end);
  step.first = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s) continue;
    const first = step.first;
    if (!first) step.first = s;
    else if (alike && !(s.metric == first.metric && sameKind(s.node, first.node))) return <f64>i;
    count(s);
  }
  return nextStep(end);
}

/** Whether two nodes are of the same cluster and at levels of one kind: hwthread0 and hwthread71 are. */
function sameKind(a: Node, b: Node): bool {
  if (a.depth != b.depth) return false;
  while (<i32>a.depth > DEPTH_HOST) {
    const n = kindLength(a);
    if (n != kindLength(b) || !bytesEqual(a.name, b.name, n)) return false;
    a = a.parent;
    b = b.parent;
  }
  return a.parent == b.parent;
}

/** Bytes of a level's name before its first digit. */
function kindLength(node: Node): i32 {
  let n = 0;
  while (n < node.nameLength && <u32>(load<u8>(node.name + n) - 0x30) > 9) n++;
  return n;
}

const run = changetype<Statistics>(memory.data(offsetof<Statistics>(), 8));

function count(s: Series): void {
  counted.series++;
  for (let i = 0; i < s.blockCount; i++) {
    const row = s.block(i);
    counted.bytes += <f64>row.bytes;
    if (row.isLoose) {
      stats(row.loose.bins, row.count, run);
      counted.samples += <f64>run.samples;
      counted.addBlock(LOOSE_BLOCKS);
    } else {
      counted.samples += <f64>row.sealed.present;
      counted.addBlock(row.sealed.codec);
    }
  }
  const n = s.openLength;
  if (!n) return;
  stats(s.openBins, n, run);
  counted.samples += <f64>run.samples;
  counted.bytes += <f64>(n << 3);
}

/** The node of the first series that the last `countStep` counted, and its metric; null when there was none. */
export function countedNode(): Node | null {
  const first = step.first;
  return first ? first.node : null;
}
export function countedMetric(): Metric | null {
  const first = step.first;
  return first ? first.metric : null;
}

/** Children of a node. */
export function childCount(node: Node): u32 {
  let n: u32 = 0;
  for (let child = node.firstChild; child; child = child!.next) n++;
  return n;
}
