/**
 * Queries, answered in steps: a request stays in linear memory with a cursor, and each step writes entries until the
 * output holds a piece's worth, so that a large answer never keeps writes or other queries waiting.
 *
 *   request  0            8          16      20        24
 *            ┌────────────┬──────────┬───────┬─────────┬──────────────────────────┬────────────┐
 *            │ from, i64  │ to, i64  │ flags │ queries │ u16 length, cluster      │ query, ... │     made by src/wasm/request.ts
 *            └────────────┴──────────┴───────┴─────────┴──────────────────────────┴────────────┘
 *   query    ┌────────┬─────────────────┬──────────────┬──────────┬────────┬──────────┬──────┬─────────┬──────────┐
 *            │ u8 bits│ resolution, i64 │ factor, f64  │ metric   │ host   │ type     │ ids  │ subtype │ sub-ids  │
 *            └────────┴─────────────────┴──────────────┴──────────┴────────┴──────────┴──────┴─────────┴──────────┘
 *     bits: 1 has a type, 2 aggregate, 4 has a subtype     names: u16 length, bytes     ids: u32 count, names
 *
 *   state    0         4            8              12            16     20   24       32          40
 *            ┌─────────┬────────────┬──────────────┬─────────────┬──────┬────┬────────┬───────────┬──────────────┐
 *            │ request │ next query │ queries left │ entry index │ list │ id │ sub-id │ nulls, i64│ of them, i64 │
 *            └─────────┴────────────┴──────────────┴─────────────┴──────┴────┴────────┴───────────┴──────────────┘
 *     list: 0 closed, 1 empty, 2 has entries     nulls: of the current entry's padding, when it takes several steps
 */
import { QueryError } from '../../src/wasm/codes';
import { Kind, alloc, free } from '../memory/alloc';
import { entryAdd, entryAddAll, entryCount, entryPadding, entryRelease, entryReset, entrySeries, writeEmptyEnd, writeEntry, writeError, writePadding } from './entry';
import { membersFind, membersKeep } from './members';
import { Metric, metricFind } from '../series/metrics';
import { ensure, outFail, outFailed, outLength, putChar } from '../memory/out';
import { Node } from '../series/records';
import { nodeFind, root } from '../series/tree';
import { seriesFind } from '../series/series';

/** Longest level name that can exist; see line.ts. */
const NAME_ROOM: usize = 1024;
const joined: usize = memory.data(1024, 8);

/** Offsets in a request: the number of its queries, and the cluster's name behind its length. */
export const REQUEST_QUERIES: usize = 20;
export const REQUEST_NAME: usize = 26;

const HAS_TYPE: i32 = 1;
const AGGREGATE: i32 = 2;
const HAS_SUBTYPE: i32 = 4;

/** The query that is being answered; read by `parseQuery` at each step. */
let from: i64 = 0;
let to: i64 = 0;
let flags: u32 = 0;
let cluster: Node | null = null;
let bits: i32 = 0;
let resolution: i64 = 0;
let factor: f64 = 0;
let metricAt: usize = 0;
let hostAt: usize = 0;
let typeAt: usize = 0;
let idsAt: usize = 0;
let subtypeAt: usize = 0;
let subIdsAt: usize = 0;
let behind: usize = 0;

const REQUEST: usize = 0;
const NEXT: usize = 4;
const LEFT: usize = 8;
const ENTRY_INDEX: usize = 12;
const STARTED: usize = 16;
const ID: usize = 20;
const SUB_ID: usize = 24;
const PADDED: usize = 32;
const PADDING: usize = 40;
const STATE_BYTES: u32 = 48;

/** Ends of queries completed in the last step, as u32 offsets into its output. */
const ENDS: i32 = 4096;
/** Entries looked for in one step, found or not: writes are waiting. */
const STEP_ENTRIES: i32 = 16384;
export const queryEnds: usize = memory.data(4 * 4096, 4);
/** Queries completed in the last step. */
export let queryEndCount: i32 = 0;

/**
 * Starts answering a request. @param request of `alloc(_, Kind.SCRATCH)`; taken over.
 * @returns the state for `queryStep`, to be given back by `queryEnd`; 0 when memory is exhausted (the request is freed then).
 */
export function queryBegin(request: usize): usize {
  const state = alloc(STATE_BYTES, Kind.SCRATCH);
  if (!state) {
    free(request, Kind.SCRATCH);
    return 0;
  }
  store<u32>(state, <u32>request, REQUEST);
  store<u32>(state, <u32>(request + REQUEST_NAME + <usize>load<u16>(request, REQUEST_NAME - 2)), NEXT);
  store<u32>(state, load<u32>(request, REQUEST_QUERIES), LEFT);
  store<u32>(state, 0, ENTRY_INDEX);
  store<u32>(state, 0, STARTED);
  store<i64>(state, 0, PADDED);
  store<i64>(state, 0, PADDING);
  return state;
}

/** Gives a query's memory back, finished or not. */
export function queryEnd(state: usize): void {
  free(<usize>load<u32>(state, REQUEST), Kind.SCRATCH);
  free(state, Kind.SCRATCH);
  entryRelease();
}

// @ts-ignore: decorator
@inline
function length(name: usize): i32 {
  return <i32>load<u16>(name);
}

// @ts-ignore: decorator
@inline
function skipName(name: usize): usize {
  return name + 2 + <usize>load<u16>(name);
}

// @ts-ignore: decorator
@inline
function idCount(ids: usize): i32 {
  return load<i32>(ids);
}

// @ts-ignore: decorator
@inline
function firstId(ids: usize): usize {
  return ids + 4;
}

function skipIds(ids: usize): usize {
  let n = idCount(ids);
  let p = firstId(ids);
  while (n--) p = skipName(p);
  return p;
}

function parseQuery(p: usize): void {
  bits = <i32>load<u8>(p);
  resolution = load<i64>(p + 1);
  factor = load<f64>(p + 9);
  metricAt = p + 17;
  hostAt = skipName(metricAt);
  typeAt = skipName(hostAt);
  idsAt = skipName(typeAt);
  subtypeAt = skipIds(idsAt);
  subIdsAt = skipName(subtypeAt);
  behind = skipIds(subIdsAt);
}

/**
 * Writes result lists, `[entry,entry],[entry],` with a comma behind each, until the output holds `budget` bytes or all queries are answered.
 * Where each completed query's list ends is in `queryEnds`.
 * @returns 1: go on with another step, 0: done, -1: memory is exhausted.
 */
export function queryStep(state: usize, budget: u32): i32 {
  const request = <usize>load<u32>(state, REQUEST);
  from = load<i64>(request);
  to = load<i64>(request, 8);
  flags = load<u32>(request, 16);
  cluster = nodeFind(root, request + REQUEST_NAME, length(request + REQUEST_NAME - 2));
  queryEndCount = 0;
  let looked = 0;
  while (load<u32>(state, LEFT)) {
    parseQuery(<usize>load<u32>(state, NEXT));
    if (!load<u32>(state, STARTED)) {
      if (!ensure(64)) return -1;
      putChar(0x5b);
      store<u32>(state, 1, STARTED);
    }
    const entries = countEntries();
    let index = load<i32>(state, ENTRY_INDEX);
    while (index < entries) {
      if (outLength() >= budget || looked++ == STEP_ENTRIES) {
        store<i32>(state, index, ENTRY_INDEX);
        return 1;
      }
      if (!writeOne(state, index)) {
        if (outFailed) return -1;
        // Padding first, a piece's worth at a time.
        store<i32>(state, index, ENTRY_INDEX);
        return pad(state) ? 1 : -1;
      }
      passIds(state, index);
      index++;
    }
    if (!ensure(64)) return -1;
    putChar(0x5d);
    putChar(0x2c);
    store<u32>(state, 0, STARTED);
    store<i32>(state, 0, ENTRY_INDEX);
    store<u32>(state, <u32>behind, NEXT);
    store<u32>(state, load<u32>(state, LEFT) - 1, LEFT);
    store<u32>(queryEnds + (<usize>queryEndCount << 2), outLength());
    if (++queryEndCount == ENDS && load<u32>(state, LEFT)) return 1;
    if (outLength() >= budget && load<u32>(state, LEFT)) return 1;
  }
  return outFailed ? -1 : 0;
}

/** Writes the next part of the entry's padding. False when memory is exhausted. */
function pad(state: usize): bool {
  const total = load<i64>(state, PADDING);
  store<i64>(state, writePadding(load<i64>(state, PADDED), total), PADDED);
  return !outFailed;
}

/** Entries that the query asks for: one a combination of ids (the host bounds their number), or one over all. */
function countEntries(): i32 {
  if (bits & AGGREGATE || !(bits & HAS_TYPE)) return 1;
  return idCount(idsAt) * (bits & HAS_SUBTYPE ? idCount(subIdsAt) : 1);
}

/** The child called prefix + id, or null. */
function childOf(parent: Node, prefix: usize, id: usize): Node | null {
  const a = length(prefix);
  const b = length(id);
  if (<usize>(a + b) > NAME_ROOM) return null;
  memory.copy(joined, prefix + 2, a);
  memory.copy(joined + a, id + 2, b);
  return nodeFind(parent, joined, a + b);
}

/** Adds the metric's series of the level: its own, or else those of its children, recursively. */
function collect(node: Node, metric: Metric): bool {
  const s = seriesFind(node, metric);
  if (s) return entryAdd(s);
  let child = node.firstChild;
  while (child) {
    if (!collect(child, metric)) return false;
    child = child.next;
  }
  return true;
}

/** `collect` for a host, without a walk when nothing has come or gone since the last one. */
function collectHost(host: Node, metric: Metric): bool {
  const s = seriesFind(host, metric);
  if (s) return entryAdd(s);
  const kept = membersFind(host, metric);
  if (kept) return entryAddAll(kept.list, kept.count);
  if (!collect(host, metric)) return false;
  membersKeep(host, metric, entrySeries(), entryCount());
  return true;
}

/** Adds what every id of the level's group holds. */
function collectGroup(host: Node, metric: Metric): bool {
  let id = firstId(idsAt);
  for (let i = idCount(idsAt); i > 0; i--) {
    const node = childOf(host, typeAt, id);
    id = skipName(id);
    if (!node) continue;
    if (!(bits & HAS_SUBTYPE)) {
      if (!collect(node, metric)) return false;
      continue;
    }
    let subId = firstId(subIdsAt);
    for (let j = idCount(subIdsAt); j > 0; j--) {
      const below = childOf(node, subtypeAt, subId);
      subId = skipName(subId);
      if (below && !collect(below, metric)) return false;
    }
  }
  return true;
}

/** Adds what the index-th combination of ids holds; indexes come in order, so the state keeps the place in both lists. */
function collectNext(state: usize, host: Node | null, metric: Metric): bool {
  let node = host ? childOf(host, typeAt, <usize>load<u32>(state, ID)) : null;
  if (node && bits & HAS_SUBTYPE) node = childOf(node, subtypeAt, <usize>load<u32>(state, SUB_ID));
  return !node || collect(node, metric);
}

/** Puts the state before the index-th combination of ids. */
function enterIds(state: usize, index: i32): void {
  if (!index) store<u32>(state, <u32>firstId(idsAt), ID);
  if (!(bits & HAS_SUBTYPE) || index % idCount(subIdsAt) == 0) store<u32>(state, <u32>firstId(subIdsAt), SUB_ID);
}

/** Moves the state behind the index-th combination of ids. */
function passIds(state: usize, index: i32): void {
  if (!(bits & HAS_TYPE) || bits & AGGREGATE) return;
  const subs = bits & HAS_SUBTYPE ? idCount(subIdsAt) : 1;
  if (bits & HAS_SUBTYPE) store<u32>(state, <u32>skipName(<usize>load<u32>(state, SUB_ID)), SUB_ID);
  if ((index + 1) % subs == 0) store<u32>(state, <u32>skipName(<usize>load<u32>(state, ID)), ID);
}

/** Ends an entry whose series were freed while its padding was written. */
function writeVanished(state: usize): bool {
  store<i64>(state, 0, PADDED);
  store<i64>(state, 0, PADDING);
  return writeEmptyEnd(from);
}

/** Writes the index-th entry, or nothing when no series is there. False when memory is exhausted (`outFailed`) or padding comes first. */
function writeOne(state: usize, index: i32): bool {
  const metric = metricFind(metricAt + 2, length(metricAt));
  let error: i32 = QueryError.None;
  if (from > to) error = QueryError.FromAfterTo;
  else if (!metric) error = QueryError.UnknownMetric;
  if (bits & HAS_TYPE && !(bits & AGGREGATE)) enterIds(state, index);
  const padded = load<i64>(state, PADDED);
  if (padded < load<i64>(state, PADDING)) return false;
  if (!error && metric) {
    const top = cluster;
    const host = top ? nodeFind(top, hostAt + 2, length(hostAt)) : null;
    entryReset();
    let ok = true;
    if (bits & HAS_TYPE && !(bits & AGGREGATE)) ok = collectNext(state, host, metric);
    else if (host) ok = bits & HAS_TYPE ? collectGroup(host, metric) : collectHost(host, metric);
    if (!ok) return outFail();
    if (!entryCount()) return padded ? writeVanished(state) : true;
  }
  // 1: the list is open and empty, 2: it has entries.
  if (load<u32>(state, STARTED) == 2 && !padded) {
    if (!ensure(64)) return false;
    putChar(0x2c);
  }
  store<u32>(state, 2, STARTED);
  if (error || !metric) return writeError(error, metricAt + 2, length(metricAt), 0, 0);
  if (writeEntry(metric, from, to, flags, resolution, factor, padded)) {
    store<i64>(state, 0, PADDED);
    store<i64>(state, 0, PADDING);
    return true;
  }
  if (!entryPadding) return outFail();
  store<i64>(state, entryPadding, PADDING);
  return false;
}
