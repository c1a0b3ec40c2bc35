/**
 * Answers a leaf of a PromQL expression (read/leaf.ts) in steps. A part is one series, or one group of them. Everything is
 * little-endian and 8-aligned from the start of the output, so that the host makes views of the rows without copying them.
 *
 *   part     0       4       8      12      16          20       24           32          40
 *            ┌───────┬───────┬──────┬───────┬───────────┬────────┬────────────┬───────────┬───────┬────────────────────┐
 *            │ bytes │ names │ rows │ count │ frequency │ metric │ first, f64 │ last, f64 │ names │ bitmap, rows       │
 *            └───────┴───────┴──────┴───────┴───────────┴────────┴────────────┴───────────┴───────┴────────────────────┘
 *   names    bytes of the names of the series (series/names.ts), or of the first one of the group; filled up to a multiple of 8
 *   rows     of `count` doubles each, behind one bitmap; 0: none. Rows of samples have no bitmap: missing bins are NaN
 *   first, last   unix milliseconds: of the series' oldest and newest sample; of the first and last bin for rows of samples
 */
import { LeafFunction, LeafStep, MemoryKind } from '../../src/wasm/tables/codes';
import { LeafPart } from '../../src/wasm/tables/layouts';
import { alloc, free } from '../memory/alloc';
import { out } from '../memory/out';
import { Group, GROUPS_BYTES, Groups, addRow, rowsOf } from '../read/grouping';
import { LeafRequest, selectLeaf } from '../read/leaf';
import { readBins } from '../read/read';
import { binCost, bitmapBytes, RowMaker, sampleTime } from '../read/rows';
import { selection } from '../read/select';
import { seriesIn } from '../read/series-list';
import { endBin, firstBin } from '../series/blocks';
import { writeSeriesNames } from '../series/names';
import { Series } from '../series/records';
import { tree } from '../series/tree';

/** Most bytes of names: five levels of 255, a metric, and what they are filled up with. */
const NAMES_MAX: u32 = 5 * 256 + 65536 + 16;
/** Nanoseconds that one step may take, by what series and bins take on a machine of 2 GHz. */
const STEP_COST: i32 = 500_000;
/** Of looking at a series. */
const SERIES_COST: i32 = 500;
/** Of reading a bin. */
const READ_COST: i32 = 4;
const OVERRUN: u32 = 128;

@unmanaged
class Part {
  bytes: u32;
  names: u32;
  rows: u32;
  count: u32;
  frequency: u32;
  metric: u32;
  first: f64;
  last: f64;
}

if (
  offsetof<Part>('bytes') != LeafPart.Bytes ||
  offsetof<Part>('names') != LeafPart.Names ||
  offsetof<Part>('rows') != LeafPart.Rows ||
  offsetof<Part>('count') != LeafPart.Count ||
  offsetof<Part>('frequency') != LeafPart.Frequency ||
  offsetof<Part>('metric') != LeafPart.Metric ||
  offsetof<Part>('first') != LeafPart.First ||
  offsetof<Part>('last') != LeafPart.Last ||
  offsetof<Part>() != LeafPart.Header
) {
  ERROR('layouts.ts has another layout of answers of leaves');
}

/** A leaf that is being answered. It owns its memory, and the list. */
@unmanaged
class Leaf {
  /** Addresses of the chosen series. They are valid as long as `version` is the tree's. */
  list: usize;
  count: i32;
  next: i32;
  version: u32;
  /** A row and its bitmap. */
  row: usize;
  /** The row of the series before `next` is not done. */
  isMaking: bool;
  /** The group to be written next. */
  group: Group | null;
  isWriting: bool;
  /** Bytes of raw samples that were written, with their times, which the host makes. */
  written: f64;

  get rows(): RowMaker {
    return changetype<RowMaker>((changetype<usize>(this) + offsetof<Leaf>() + 7) & ~7);
  }
  get groups(): Groups {
    return changetype<Groups>(changetype<usize>(this.rows) + offsetof<RowMaker>());
  }
  get request(): LeafRequest {
    return changetype<LeafRequest>((changetype<usize>(this.groups) + GROUPS_BYTES + 7) & ~7);
  }
}

/** Bytes of a leaf before its request, and of what both are filled up with. */
const STATE_BYTES: u32 = <u32>offsetof<Leaf>() + 8 + <u32>offsetof<RowMaker>() + GROUPS_BYTES + 8;

/**
 * Begins to answer a request. @param request copied. @returns the leaf, for `leafStep` and `leafEnd`; null when memory is exhausted.
 */
export function leafBegin(request: usize, length: u32): Leaf | null {
  const leaf = changetype<Leaf | null>(alloc(STATE_BYTES + length, MemoryKind.Scratch));
  if (!leaf) return null;
  memory.fill(changetype<usize>(leaf), 0, STATE_BYTES);
  memory.copy(changetype<usize>(leaf.request), request, length);
  const bytes = leaf.request.count ? (<u32>leaf.request.count << 3) + bitmapBytes(leaf.request.count) : 8;
  leaf.row = alloc(bytes, MemoryKind.Scratch);
  if (!leaf.row || !selectLeaf(leaf.request, length)) {
    leafEnd(leaf);
    return null;
  }
  leaf.count = selection.count;
  leaf.version = tree.version;
  leaf.list = alloc(max<u32>(8, <u32>selection.count << 2), MemoryKind.Scratch);
  if (!leaf.list) {
    leafEnd(leaf);
    return null;
  }
  memory.copy(leaf.list, selection.list, <usize>selection.count << 2);
  return leaf;
}

/** Ends a leaf, at any step. */
export function leafEnd(leaf: Leaf): void {
  leaf.groups.clear();
  leaf.rows.free();
  free(leaf.list, MemoryKind.Scratch);
  free(leaf.row, MemoryKind.Scratch);
  free(changetype<usize>(leaf), MemoryKind.Scratch);
}

/** Writes parts until the output holds about `budget` bytes, or some time has passed. @returns a `LeafStep`. */
export function leafStep(leaf: Leaf, budget: u32): i32 {
  const request = leaf.request;
  if (leaf.version != tree.version) return LeafStep.Changed;
  if (isTooLarge(leaf)) return LeafStep.TooLarge;
  let cost = 0;
  while (leaf.next < leaf.count || leaf.isMaking) {
    if (cost >= STEP_COST || out.length >= budget) return LeafStep.More;
    if (!leaf.isMaking) {
      const s = seriesIn(leaf.list, leaf.next++);
      if (s.isEmpty) continue;
      const taken = takeSeries(leaf, s);
      if (taken < 0) return LeafStep.OutOfMemory;
      cost += SERIES_COST + taken * READ_COST;
      if (!leaf.isMaking) continue;
    }
    // A row whose windows are long takes several steps.
    const left = (STEP_COST - cost) / binCost(request.fn);
    if (left <= 0) return LeafStep.More;
    const looked = leaf.rows.continue(request, left);
    cost += looked * binCost(request.fn);
    if (looked >= left) continue;
    leaf.isMaking = false;
    if (!giveRow(leaf, seriesIn(leaf.list, leaf.next - 1))) return LeafStep.OutOfMemory;
  }
  if (!request.aggregation) return LeafStep.Done;
  if (!leaf.isWriting) {
    leaf.isWriting = true;
    leaf.group = leaf.groups.first;
  }
  let group = leaf.group;
  while (group) {
    if (out.length >= budget) {
      leaf.group = group;
      return LeafStep.More;
    }
    if (!writeGroup(group, request)) return LeafStep.OutOfMemory;
    group = group.next;
  }
  return LeafStep.Done;
}

function isTooLarge(leaf: Leaf): bool {
  const request = leaf.request;
  if (request.aggregation) return <f64>leaf.groups.count * <f64>Groups.bytes(request) > request.room;
  if (request.fn <= LeafFunction.Samples) return leaf.written > request.room;
  return <f64>leaf.count * <f64>request.count * 8 > request.room;
}

/** Writes what is to be said of a series, or begins its row. @returns bins that were read; -1 when memory is exhausted. */
function takeSeries(leaf: Leaf, s: Series): i32 {
  const request = leaf.request;
  if (request.fn == LeafFunction.Series) return takeSpan(leaf, s) ? 0 : -1;
  if (request.fn == LeafFunction.Samples) return writeSamples(leaf, s);
  const read = leaf.rows.begin(s, request, leaf.row, leaf.row + (<usize>request.count << 3));
  leaf.isMaking = read > 0;
  return read;
}

/** The row is there: it is written, or added to its group. False when memory is exhausted. */
function giveRow(leaf: Leaf, s: Series): bool {
  if (!leaf.rows.samples) return true;
  const request = leaf.request;
  const n = request.count;
  const bits = leaf.row + (<usize>n << 3);
  if (request.aggregation) {
    const group = leaf.groups.of(s, request);
    if (!group) return false;
    addRow(group, request.aggregation, leaf.row, bits, n);
    return true;
  }
  if (!begin(s, <u32>n + 16)) return false;
  memory.copy(writing.body, bits, bitmapBytes(n));
  memory.copy(writing.body + bitmapBytes(n), leaf.row, <usize>n << 3);
  return end(s, 1, n);
}

/** A series that there is between the times of the request: itself, or its group. */
function takeSpan(leaf: Leaf, s: Series): bool {
  const request = leaf.request;
  const isThere = sampleTime(s, <i64>endBin(s) - 1) >= request.start && sampleTime(s, <i64>firstBin(s)) <= request.range;
  if (!isThere) return true;
  if (request.aggregation) return leaf.groups.of(s, request) != null;
  return begin(s, 0) && end(s, 0, 0);
}

/** Where the part is that is being written. */
@unmanaged
class Writing {
  part: Part;
  /** Address of what follows its names. */
  body: usize;
}

const writing = changetype<Writing>(memory.data(offsetof<Writing>(), 8));

/** Begins a part with the names of a series. @param words doubles that may follow. False when memory is exhausted. */
function begin(s: Series, words: u32): bool {
  if (!out.ensure(<u32>offsetof<Part>() + NAMES_MAX + (words << 3) + (words >> 3) + OVERRUN)) return false;
  const part = changetype<Part>(out.end);
  memory.fill(out.end, 0, offsetof<Part>());
  const names = out.end + offsetof<Part>();
  writing.part = part;
  const namesEnd = writeSeriesNames(names, s);
  part.names = <u32>(namesEnd - names);
  store<u64>(namesEnd, 0);
  writing.body = (namesEnd + 7) & ~7;
  part.frequency = <u32>s.frequency;
  part.metric = <u32>s.metric.number;
  part.first = sampleTime(s, <i64>firstBin(s));
  part.last = sampleTime(s, <i64>endBin(s) - 1);
  return true;
}

/** Ends the part: a bitmap and rows were written behind its names. */
function end(s: Series, rows: i32, count: i32): bool {
  const part = writing.part;
  part.rows = <u32>rows;
  part.count = <u32>count;
  const bytes = (rows ? bitmapBytes(count) : 0) + <u32>rows * (<u32>count << 3);
  out.end = writing.body + bytes;
  part.bytes = <u32>(out.end - changetype<usize>(part));
  return true;
}

/** The bins between the first and the last time of the request. @returns how many; -1 when memory is exhausted. */
function writeSamples(leaf: Leaf, s: Series): i32 {
  const request = leaf.request;
  const width = <f64>s.frequency * 1000;
  const zero = sampleTime(s, 0);
  const from = max(Math.floor((request.timeOf(0) as f64 - request.range - zero) / width) + 1, <f64>firstBin(s));
  const to = min(Math.floor((request.timeOf(request.count - 1) as f64 - zero) / width) + 1, <f64>endBin(s));
  if (to <= from) return 0;
  const n = <i32>(to - from);
  leaf.written += <f64>n * 16;
  if (leaf.written > request.room) return 0;
  if (!begin(s, <u32>n)) return -1;
  readBins(s, <i32>from, n, writing.body);
  const part = writing.part;
  part.rows = 1;
  part.count = <u32>n;
  part.first = sampleTime(s, <i64>from);
  part.last = sampleTime(s, <i64>to - 1);
  out.end = writing.body + (<usize>n << 3);
  part.bytes = <u32>(out.end - changetype<usize>(part));
  return n;
}

function writeGroup(group: Group, request: LeafRequest): bool {
  const n = request.count;
  if (request.fn == LeafFunction.Series) return begin(group.series, 0) && end(group.series, 0, 0);
  const rows = rowsOf(request.aggregation);
  if (!begin(group.series, <u32>(rows * n) + 16)) return false;
  memory.copy(writing.body, group.bits, <usize>bitmapBytes(n) + <usize>rows * (<usize>n << 3));
  return end(group.series, rows, n);
}
