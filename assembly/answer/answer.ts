/**
 * An answer in the making: the request stays in linear memory with a place in it, and each step goes on from there until the
 * output holds a piece's worth, so that a large answer never keeps writes or other answers waiting. cc-json.ts and columns.ts
 * write what comes up here.
 */
import { MemoryKind, QueryError } from '../../src/wasm/tables/codes';
import { alloc, capacity, free } from '../memory/alloc';
import { Name } from '../memory/name';
import { out } from '../memory/out';
import { Metric, metricFind } from '../series/metrics';
import { Node } from '../series/records';
import { nodeFind, root } from '../series/tree';
import { Column, evaluate } from '../read/evaluate';
import { Query, Request } from '../read/request';
import { selectGroup, selectHost, selectIds, selectNone, selection } from '../read/select';

/** Entries looked for in one step, found or not: writes are waiting. */
export const STEP_ENTRIES: i32 = 16384;

/** Bytes of columns that answers may keep until their readers go on; beyond it they are given back and computed again. */
const RESTING_BYTES: u32 = 2 << 20;

/** What `Answer.next` came to. */
export const enum Next {
  /** An entry without series, which is left out. */
  Nothing,
  /** The entry's values are in `column`. */
  Entry,
  /** All entries of the query are done. */
  QueryEnd,
  /** Memory is exhausted. */
  Failed,
}

@unmanaged
export class Answer {
  request: Request;
  /** Queries that are not done, the one at hand included. */
  queriesLeft: u32;
  /** Index of the query at hand. */
  queryIndex: u32;
  /** Entries of the query at hand that have come up, the one at hand included. */
  entriesSeen: i32;
  /** Entries of the query at hand. */
  private entries: i32;
  /** Ids of the entry that comes next, if the query at hand is by ids. */
  private id: Name;
  private subId: Name;
  /** Those of the entry at hand. */
  private idAtHand: Name;
  private subIdAtHand: Name;
  /** Whether the values of an entry are being written; `written` of them are, padding included. */
  isWriting: bool;
  /** The list of the query at hand: it has begun, and it has entries. */
  isListOpen: bool;
  hasEntries: bool;
  written: i64;
  private metric: Metric | null;
  /** Found anew in each step, as nodes come and go between two. */
  private cluster: Node | null;
  /** Bytes of the column that count in `resting`. */
  private restingBytes: u32;

  /** The query at hand. */
  get query(): Query {
    return changetype<Query>(changetype<usize>(this) + QUERY_AT);
  }
  /** The entry at hand. */
  get column(): Column {
    return changetype<Column>(changetype<usize>(this) + COLUMN_AT);
  }

  /** Reads the query at p. */
  readQuery(p: usize): void {
    if (!this.queriesLeft) return;
    const query = this.query;
    query.read(p);
    this.metric = metricFind(query.metric.text, query.metric.length);
    this.entries = query.entries;
    this.entriesSeen = 0;
    this.id = query.ids.first;
    this.subId = query.subIds.first;
  }

  /** A step begins. */
  resume(): void {
    this.stopResting();
    this.cluster = nodeFind(root, this.request.cluster.text, this.request.cluster.length);
  }

  /** Goes on to the next entry. Precondition: `queriesLeft` > 0. */
  next(): Next {
    if (this.entriesSeen == this.entries) {
      this.queriesLeft--;
      this.queryIndex++;
      this.readQuery(this.query.end);
      return Next.QueryEnd;
    }
    const isThere = this.fill();
    this.entriesSeen++;
    this.passIds();
    return isThere;
  }

  /** Selects the series of the entry that comes next and computes its column. */
  private fill(): Next {
    const request = this.request;
    const column = this.column;
    const metric = this.metric;
    if (request.from > request.to || !metric) {
      column.fail(request.from > request.to ? QueryError.FromAfterTo : QueryError.UnknownMetric, 0, 0);
      return Next.Entry;
    }
    this.idAtHand = this.id;
    this.subIdAtHand = this.subId;
    const isSelected = this.select(metric);
    if (isSelected && !selection.count) return Next.Nothing;
    if (isSelected && evaluate(column, metric, request, this.query)) return Next.Entry;
    out.fail();
    return Next.Failed;
  }

  /** Selects the series of the entry at hand. False when memory is exhausted. */
  private select(metric: Metric): bool {
    const query = this.query;
    const cluster = this.cluster;
    const host = cluster ? nodeFind(cluster, query.host.text, query.host.length) : null;
    if (!host) {
      selectNone(null);
      return true;
    }
    if (query.isById) return selectIds(host, metric, query, this.idAtHand, this.subIdAtHand);
    return query.hasType ? selectGroup(host, metric, query) : selectHost(host, metric);
  }

  /** Has the values of the column at hand in memory from the index on, at least one. False when memory is exhausted (`out.failed`). */
  have(index: i32): bool {
    const column = this.column;
    if (column.heldFrom(index)) return true;
    const metric = this.metric;
    if (metric && this.select(metric) && column.computeAgain(metric, this.query.factor, index)) return true;
    out.fail();
    return false;
  }

  /** Nobody waits for the next step: the column is kept if there is room. */
  rest(): void {
    this.stopResting();
    const column = this.column;
    const bytes = column.bytes;
    if (resting + bytes > RESTING_BYTES) column.free();
    else this.restingBytes = bytes;
    resting += this.restingBytes;
  }

  /** The column counts no longer. */
  stopResting(): void {
    resting -= this.restingBytes;
    this.restingBytes = 0;
  }

  /** Moves on to the next combination of ids; the last ids change fastest. */
  private passIds(): void {
    const query = this.query;
    if (!query.isById) return;
    if (query.hasSubtype) {
      if (this.entriesSeen % query.subIds.count != 0) {
        this.subId = this.subId.next;
        return;
      }
      this.subId = query.subIds.first;
    }
    this.id = this.id.next;
  }
}

/** Bytes of columns of answers that rest. */
let resting: u32 = 0;

/** The query and the column follow the answer itself, 8-aligned. */
const QUERY_AT: usize = (offsetof<Answer>() + 7) & ~7;
const COLUMN_AT: usize = QUERY_AT + ((offsetof<Query>() + 7) & ~7);
const BYTES: usize = COLUMN_AT + offsetof<Column>();

/**
 * Starts answering a request. @param request of `alloc(_, MemoryKind.Scratch)`; taken over.
 * @returns what the steps take, to be given back by `queryEnd`; null when memory is exhausted (the request is freed then).
 */
export function queryBegin(request: Request): Answer | null {
  const answer = changetype<Answer | null>(alloc(<u32>BYTES, MemoryKind.Scratch));
  if (!answer) {
    free(changetype<usize>(request), MemoryKind.Scratch);
    return null;
  }
  memory.fill(changetype<usize>(answer), 0, BYTES);
  answer.request = request;
  answer.queriesLeft = request.queries;
  answer.readQuery(request.first);
  return answer;
}

/** Bytes that an answer takes without its column, until `queryEnd`. */
export function queryBytes(answer: Answer): u32 {
  return <u32>BYTES + capacity(changetype<usize>(answer.request));
}

/** To be called behind a step when nobody waits for the next one. */
export function queryRest(answer: Answer): void {
  answer.rest();
}

/** Gives an answer's memory back, finished or not. */
export function queryEnd(answer: Answer): void {
  answer.stopResting();
  answer.column.free();
  free(changetype<usize>(answer.request), MemoryKind.Scratch);
  free(changetype<usize>(answer), MemoryKind.Scratch);
}
