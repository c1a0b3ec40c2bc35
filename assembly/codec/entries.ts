/**
 * The two codecs of few distinct values: sparse (the most common value and a list of exceptions) and runs.
 *
 * ```
 *  a:  value kind:2 (u8, u16, u32, f64) | common:2 (the least bin, the greatest, stored) | decimals:4
 *  b:  entries
 *  sparse body: │ common f64, if stored │ skips u8.. │ values.. │     skips as in skips.ts
 *  runs body:   │ lengths u8 (>= 1).. │ values.. │                  a longer run is several entries
 * ```
 * Values of the integer kinds are decimals above the least bin: (least * 10^k + value) / 10^k.
 */
import { Codec } from '../../src/wasm/tables/codecs';
import { fill } from '../memory/doubles';
import { decimalPlaces, MAX_PLACES, power, scaledInteger } from './decimal';
import { Block } from './layout';
import { FILLED } from './scratch';
import { checkSkips, MAX_SKIP } from './skips';

const KIND_MASK: i32 = 3;
const COMMON_SHIFT: i32 = 2;
const COMMON_MASK: i32 = 3;
const PLACES_SHIFT: i32 = 4;

const enum Kind {
  Byte,
  Half,
  Word,
  Double,
}

const enum Common {
  Least,
  Greatest,
  Stored,
}

/** Longest run of one entry. */
const MAX_RUN: i32 = 255;

/** The entries being planned: a skip or a run length each (u8), and a value (f64). */
const STEPS: usize = memory.data(528, 8);
const ENTRY_VALUES: usize = memory.data(4224, 16);

@unmanaged
class EntryPlan {
  /** Bits of the most common value of a sparse block. */
  commonBits: u64;
  commonKind: i32;
  /** Entries planned, and the `Kind` of their values. */
  entries: i32;
  kind: i32;
  places: i32;
}

const plan = changetype<EntryPlan>(memory.data(offsetof<EntryPlan>(), 8));

function bitsAt(i: i32): u64 {
  return load<u64>(FILLED + (<usize>i << 3));
}

function addEntry(step: i32, bits: u64): void {
  store<u8>(STEPS + plan.entries, step);
  store<u64>(ENTRY_VALUES + (<usize>plan.entries << 3), bits);
  plan.entries++;
}

function valueAt(reference: i64, offset: i64, k: i32): f64 {
  return <f64>(reference + offset) / power(k);
}

/** Chooses the narrowest kind that brings all entries back bit by bit. */
function chooseKind(least: f64): void {
  plan.kind = Kind.Double;
  plan.places = 0;
  let k = decimalPlaces(least);
  if (k < 0) return;
  for (let e = 0; e < plan.entries; e++) {
    const v = load<f64>(ENTRY_VALUES + (<usize>e << 3));
    const own = decimalPlaces(v);
    if (own < 0) return;
    k = max(k, own);
  }
  const reference = scaledInteger(least, k);
  let all: u64 = 0;
  for (let e = 0; e < plan.entries; e++) {
    const v = load<f64>(ENTRY_VALUES + (<usize>e << 3));
    const offset = scaledInteger(v, k) - reference;
    if (reinterpret<u64>(valueAt(reference, offset, k)) != reinterpret<u64>(v)) return;
    all |= <u64>offset;
  }
  if (all >> 32) return;
  plan.places = k;
  plan.kind = all >> 16 ? Kind.Word : all >> 8 ? Kind.Half : Kind.Byte;
}

/**
 * Plans the bins of FILLED as exceptions from `common`, the most common value. The plan lasts until the next one.
 * @returns the bytes of the body.
 */
export function planSparse(count: i32, common: u64, least: f64, greatest: f64): i32 {
  plan.entries = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    if (bitsAt(i) == common) continue;
    while (i - before > MAX_SKIP) {
      before += MAX_SKIP;
      addEntry(MAX_SKIP, bitsAt(before));
    }
    addEntry(i - before, bitsAt(i));
    before = i;
  }
  chooseKind(least);
  plan.commonBits = common;
  plan.commonKind = common == reinterpret<u64>(least) ? Common.Least
    : common == reinterpret<u64>(greatest) ? Common.Greatest : Common.Stored;
  return (plan.commonKind == Common.Stored ? 8 : 0) + plan.entries * (1 + (1 << plan.kind));
}

/** Plans the bins of FILLED as runs. The plan lasts until the next one. Returns the bytes of the body. */
export function planRuns(count: i32, least: f64): i32 {
  plan.entries = 0;
  plan.commonKind = Common.Least;
  let start = 0;
  for (let i = 1; i <= count; i++) {
    if (i < count && i - start < MAX_RUN && bitsAt(i) == bitsAt(start)) continue;
    addEntry(i - start, bitsAt(start));
    start = i;
  }
  chooseKind(least);
  return plan.entries * (1 + (1 << plan.kind));
}

/** `a` of the block planned last. */
export function entriesA(): i32 {
  return plan.kind | (plan.commonKind << COMMON_SHIFT) | (plan.places << PLACES_SHIFT);
}

/** `b` of the block planned last. */
export function entriesB(): i32 {
  return plan.entries;
}

/** Writes the body of the block planned last; returns its end. */
export function writeEntries(least: f64, out: usize): usize {
  if (plan.commonKind == Common.Stored) {
    store<u64>(out, plan.commonBits);
    out += 8;
  }
  memory.copy(out, STEPS, plan.entries);
  out += plan.entries;
  const reference = scaledInteger(least, plan.places);
  for (let e = 0; e < plan.entries; e++) {
    const v = load<f64>(ENTRY_VALUES + (<usize>e << 3));
    if (plan.kind == Kind.Double) store<f64>(out, v);
    else store<u32>(out, <u32>(scaledInteger(v, plan.places) - reference));
    out += <usize>1 << plan.kind;
  }
  return out;
}

function entryValue(at: usize, ofKind: i32, reference: i64, k: i32): f64 {
  if (ofKind == Kind.Byte) return valueAt(reference, load<u8>(at), k);
  if (ofKind == Kind.Half) return valueAt(reference, load<u16>(at), k);
  if (ofKind == Kind.Word) return valueAt(reference, load<u32>(at), k);
  return load<f64>(at);
}

/** Writes the bins of the block, gaps still filled, to `dst`. */
export function decodeEntries(block: Block, body: usize, dst: usize): void {
  const a = <i32>block.a;
  const count = <i32>block.b;
  const ofKind = a & KIND_MASK;
  const k = a >> PLACES_SHIFT;
  const least = block.min;
  const reference = ofKind == Kind.Double ? 0 : scaledInteger(least, k);
  if (<i32>block.codec == Codec.Sparse) {
    const choice = (a >> COMMON_SHIFT) & COMMON_MASK;
    const common = choice == Common.Least ? least : choice == Common.Greatest ? block.max : load<f64>(body);
    fill(dst, block.count, common);
    if (choice == Common.Stored) body += 8;
    let value = body + count;
    for (let e = 0; e < count; e++) {
      dst += <usize>load<u8>(body + e) << 3;
      store<f64>(dst, entryValue(value, ofKind, reference, k));
      value += <usize>1 << ofKind;
    }
    return;
  }
  let value = body + count;
  for (let e = 0; e < count; e++) {
    const n = <i32>load<u8>(body + e);
    fill(dst, n, entryValue(value, ofKind, reference, k));
    dst += <usize>n << 3;
    value += <usize>1 << ofKind;
  }
}

/** End of the body of a block from disk, not padded; 0 if it is unsound or reaches beyond `end`. */
export function checkEntries(block: Block, body: usize, end: usize): usize {
  const a = <i32>block.a;
  const listed = <i32>block.b;
  const common = (a >> COMMON_SHIFT) & COMMON_MASK;
  if (common > Common.Stored || a >> PLACES_SHIFT > MAX_PLACES) return 0;
  const sparse = <i32>block.codec == Codec.Sparse;
  if (!sparse && common != Common.Least) return 0;
  if (common == Common.Stored) body += 8;
  const bodyEnd = body + listed * (1 + (1 << (a & KIND_MASK)));
  if (bodyEnd > end) return 0;
  if (sparse) return checkSkips(body, listed, block.count) ? bodyEnd : 0;
  let bins = 0;
  for (let e = 0; e < listed; e++) bins += load<u8>(body + e);
  return bins == block.count ? bodyEnd : 0;
}
