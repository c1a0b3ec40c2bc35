/**
 * An answer in the making: the request stays in linear memory with a place in it, and each step goes on from there until the
 * output holds a piece's worth, so that a large answer never keeps writes or other answers waiting. cc-json.ts and columns.ts
 * write what comes up here.
 */
import { MemoryKind, QueryError } from '../../src/wasm/codes';
import { alloc, free } from '../memory/alloc';
import { Name } from '../memory/name';
import { out } from '../memory/out';
import { Metric, metricFind } from '../series/metrics';
import { Node } from '../series/records';
import { nodeFind, root } from '../series/tree';
import { Column, evaluate } from '../read/evaluate';
import { Query, Request } from '../read/request';
import { selectGroup, selectHost, selectIds, selection } from '../read/select';

/** Entries looked for in one step, found or not: writes are waiting. */
export const STEP_ENTRIES: i32 = 16384;

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
  /** Whether the values of an entry are being written; `written` of them are, padding included. */
  isWriting: bool;
  /** The list of the query at hand: it has begun, and it has entries. */
  isListOpen: bool;
  hasEntries: bool;
  written: i64;
  private metric: Metric | null;
  /** Found anew in each step, as nodes come and go between two. */
  private cluster: Node | null;

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

  /** Selects the series of the entry at hand and computes its column. */
  private fill(): Next {
    const request = this.request;
    const query = this.query;
    const column = this.column;
    const metric = this.metric;
    if (request.from > request.to || !metric) {
      column.fail(request.from > request.to ? QueryError.FromAfterTo : QueryError.UnknownMetric, 0, 0);
      return Next.Entry;
    }
    const cluster = this.cluster;
    const host = cluster ? nodeFind(cluster, query.host.text, query.host.length) : null;
    if (!host) return Next.Nothing;
    let isSelected: bool;
    if (query.isById) isSelected = selectIds(host, metric, query, this.id, this.subId);
    else if (query.hasType) isSelected = selectGroup(host, metric, query);
    else isSelected = selectHost(host, metric);
    if (isSelected && !selection.count) return Next.Nothing;
    if (isSelected && evaluate(column, metric, request, query)) return Next.Entry;
    out.fail();
    return Next.Failed;
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

/** Gives an answer's memory back, finished or not. */
export function queryEnd(answer: Answer): void {
  answer.column.free();
  free(changetype<usize>(answer.request), MemoryKind.Scratch);
  free(changetype<usize>(answer), MemoryKind.Scratch);
}
