/**
 * Groups of rows by labels, and their sums: what a leaf comes to when it is aggregated where the samples are. Groups are told
 * apart by the bytes of the labels that count; the host makes the labels themselves, from one series of each group.
 *
 *   group    0        4          8         12       16
 *            ┌────────┬──────────┬─────────┬────────┬───────────────────────────┐
 *            │ series │ next     │ key len │ hash   │ bitmap, rows, key         │
 *            └────────┴──────────┴─────────┴────────┴───────────────────────────┘
 *   rows: of sum, sum and what rounding lost; of avg, these and the number of samples; of variance, squared differences, mean and
 *   number; else one. Where there was no sample they mean nothing.
 */
import { LeafAggregation, LeafGrouping, MemoryKind } from '../../src/wasm/tables/codes';
import { alloc, free } from '../memory/alloc';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Table } from '../memory/table';
import { Node, Series } from '../series/records';
import { DEPTH_HOST } from '../series/tree';
import { addCompensated } from './compensated';
import { bitmapBytes } from './rows';
import { typeLength } from './level-name';
import { LeafRequest } from './leaf';

@unmanaged
export class Group {
  /** The first series of the group. */
  series: Series;
  next: Group | null;
  keyLength: i32;
  hash: u32;

  get bits(): usize {
    return changetype<usize>(this) + offsetof<Group>();
  }
  row(count: i32, i: i32): usize {
    return this.bits + bitmapBytes(count) + (<usize>count << 3) * i;
  }
}

/** The groups of one leaf, in the order in which they came first. Memory of zeros has none. */
@unmanaged
export class Groups {
  first: Group | null;
  private last: Group | null;
  /** The group of the series before: neighbours mostly share one. */
  private recent: Group | null;
  count: u32;
  private table: Table;

  /** Where the table is kept: the field above is its first word. */
  private get byKey(): Table {
    return changetype<Table>(changetype<usize>(this) + offsetof<Groups>('table'));
  }

  /** Bytes of one group. */
  static bytes(request: LeafRequest): u32 {
    const rows = rowsOf(request.aggregation);
    return <u32>offsetof<Group>() + bitmapBytes(request.count) + <u32>rows * (<u32>request.count << 3);
  }

  /** The group of a series, made when missing. Null when memory is exhausted. */
  of(s: Series, request: LeafRequest): Group | null {
    const length = writeKey(s, request.grouping);
    const recent = this.recent;
    if (recent && this.matches(recent, request, length)) return recent;
    const hash = hashBytes(0, key, length);
    let group = changetype<Group | null>(this.byKey.find(hash));
    while (group && !this.matches(group, request, length)) group = changetype<Group | null>(this.byKey.next());
    if (!group) group = this.add(s, request, length, hash);
    this.recent = group;
    return group;
  }

  private matches(group: Group, request: LeafRequest, length: i32): bool {
    const at = changetype<usize>(group) + Groups.bytes(request);
    return group.keyLength == length && bytesEqual(at, key, length);
  }

  private add(s: Series, request: LeafRequest, length: i32, hash: u32): Group | null {
    const bytes = Groups.bytes(request);
    const group = changetype<Group | null>(alloc(bytes + <u32>length, MemoryKind.Scratch));
    if (!group) return null;
    if (!this.byKey.add(hash, changetype<usize>(group))) {
      free(changetype<usize>(group), MemoryKind.Scratch);
      return null;
    }
    memory.fill(changetype<usize>(group), 0, bytes);
    memory.copy(changetype<usize>(group) + bytes, key, length);
    group.series = s;
    group.keyLength = length;
    group.hash = hash;
    const last = this.last;
    if (last) last.next = group;
    else this.first = group;
    this.last = group;
    this.count++;
    return group;
  }

  /** Gives all memory back. */
  clear(): void {
    let group = this.first;
    while (group) {
      const next = group.next;
      free(changetype<usize>(group), MemoryKind.Scratch);
      group = next;
    }
    this.byKey.clear();
    this.first = null;
    this.last = null;
    this.recent = null;
    this.count = 0;
  }
}

/** Bytes of `Groups` with its table. */
export const GROUPS_BYTES: u32 = <u32>offsetof<Groups>() + <u32>offsetof<Table>();

/** Rows that a group keeps. */
export function rowsOf(aggregation: i32): i32 {
  if (aggregation == LeafAggregation.Avg || aggregation == LeafAggregation.Variance) return 3;
  return aggregation == LeafAggregation.Sum ? 2 : 1;
}

/** Five names of at most 255 bytes with a separator each, and the metric. */
const key: usize = memory.data(8192, 8);

function append(p: usize, text: usize, n: i32): usize {
  memory.copy(p, text, n);
  store<u8>(p + n, 0);
  return p + n + 1;
}

/** Writes the labels that count into `key`. Returns the length. */
function writeKey(s: Series, bits: u32): i32 {
  let p = key;
  if (bits & LeafGrouping.Metric) p = append(p, s.metric.name, s.metric.nameLength);
  let node: Node = s.node;
  if (<i32>node.depth > DEPTH_HOST + 1) p = appendLevel(p, node, bits, LeafGrouping.Subtype, LeafGrouping.SubtypeId, false);
  while (<i32>node.depth > DEPTH_HOST + 1) node = node.parent;
  if (<i32>node.depth > DEPTH_HOST) {
    p = appendLevel(p, node, bits, LeafGrouping.Type, LeafGrouping.TypeId, true);
    node = node.parent;
  } else {
    // A host's own series has a type that no level has: `node`.
    store<u8>(p++, 1);
  }
  if (bits & LeafGrouping.Host) p = append(p, node.name, node.nameLength);
  if (bits & LeafGrouping.Cluster) p = append(p, node.parent.name, node.parent.nameLength);
  return <i32>(p - key);
}

function appendLevel(p: usize, node: Node, bits: u32, type: u32, id: u32, listed: bool): usize {
  if (!(bits & (type | id))) return p;
  const split = typeLength(node.name, node.nameLength, listed);
  if (bits & type) p = append(p, node.name, split);
  if (bits & id) p = append(p, node.name + split, node.nameLength - split);
  return p;
}

/** Adds a row of n steps to a group, and its bits. */
export function addRow(group: Group, aggregation: i32, values: usize, bits: usize, n: i32): void {
  const row = group.row(n, 0);
  switch (aggregation) {
    case LeafAggregation.Sum:
      addCompensated(row, group.row(n, 1), values, n);
      break;
    case LeafAggregation.Avg:
      addCompensated(row, group.row(n, 1), values, n);
      addCount(group.row(n, 2), values, n);
      break;
    case LeafAggregation.Count:
      addCount(row, values, n);
      break;
    case LeafAggregation.Min:
      keepExtreme(row, values, group.bits, n, false);
      break;
    case LeafAggregation.Max:
      keepExtreme(row, values, group.bits, n, true);
      break;
    case LeafAggregation.Variance:
      addVariance(row, group.row(n, 1), group.row(n, 2), values, n);
      break;
  }
  const words = bitmapBytes(n);
  for (let i: u32 = 0; i < words; i += 8) store<u64>(group.bits + i, load<u64>(group.bits + i) | load<u64>(bits + i));
}

function addCount(counts: usize, values: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    const v = load<f64>(values + i);
    store<f64>(counts + i, load<f64>(counts + i) + (isNaN(v) ? 0 : 1));
  }
}

/** @param bits steps that had a value before. */
function keepExtreme(row: usize, values: usize, bits: usize, n: i32, greatest: bool): void {
  for (let i = 0; i < n; i++) {
    const p = row + (<usize>i << 3);
    const v = load<f64>(values + (<usize>i << 3));
    if (isNaN(v)) continue;
    const isFirst = !((load<u8>(bits + (<usize>i >> 3)) >> <u8>(i & 7)) & 1);
    const known = load<f64>(p);
    if (isFirst || (greatest ? known < v : known > v)) store<f64>(p, v);
  }
}

/** Welford's. */
function addVariance(squares: usize, means: usize, counts: usize, values: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    const v = load<f64>(values + i);
    if (isNaN(v)) continue;
    const samples = load<f64>(counts + i) + 1;
    store<f64>(counts + i, samples);
    const mean = load<f64>(means + i);
    const delta = v - mean;
    const next = mean + delta / samples;
    store<f64>(means + i, next);
    store<f64>(squares + i, load<f64>(squares + i) + delta * (v - next));
  }
}
