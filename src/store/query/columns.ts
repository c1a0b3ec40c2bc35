/**
 * Main thread. The partitions' columns become one answer, each column under its query in the request, and the queries in their
 * order whatever partition answers them. What is asked of all nodes comes after them, partition by partition.
 */
import { type Column, type ColumnError, readColumns } from '../../wasm/columns.js';
import type { QueryRequest } from '../../wasm/request.js';
import type { AnswerColumn } from '../store.js';
import type { PieceStream } from './piece-stream.js';
import type { Order } from './scatter.js';

type Part = Column | ColumnError;

/** Reads a stream column by column. A piece's columns must be used before it goes on behind its end. */
class ColumnReader {
  readonly #stream: PieceStream;
  #columns: Part[] | undefined;
  #at = 0;

  constructor(stream: PieceStream) {
    this.#stream = stream;
  }

  /**
   * The columns of the piece at hand that belong to queries before the given one, as far as they were not read. Undefined: there are
   * no more of them in any piece.
   */
  async before(query: number): Promise<Part[] | undefined> {
    for (;;) {
      this.#columns ??= readColumns(this.#stream.current.bytes);
      const from = this.#at;
      while (this.#at < this.#columns.length && (this.#columns[this.#at]?.query ?? query) < query) this.#at++;
      if (this.#at > from) return this.#columns.slice(from, this.#at);
      if (this.#at < this.#columns.length || !(await this.#stream.next())) return undefined;
      this.#columns = undefined;
      this.#at = 0;
    }
  }
}

/** All columns, piece by piece. @param streams one a question; they are left once the answer is read, or left itself. */
export async function* columnsOf(
  request: QueryRequest,
  { questions, firstForAll }: Order,
  streams: readonly PieceStream[],
): AsyncGenerator<AnswerColumn[]> {
  try {
    // All of them, so that no worker is idle while another one's pieces are read.
    for (const stream of streams) stream.prefetch();
    yield* ofQueries(request, questions, streams);
    yield* ofAllNodes(request, streams.slice(firstForAll));
  } finally {
    for (const stream of streams) stream.leave();
  }
}

/** Queries that follow each other and are of one question are read together. */
async function* ofQueries(
  request: QueryRequest,
  questions: readonly number[],
  streams: readonly PieceStream[],
): AsyncGenerator<AnswerColumn[]> {
  const readers = new Map<number, { reader: ColumnReader; numbers: number[] }>();
  for (const [query, question] of questions.entries()) {
    const stream = streams[question];
    if (stream === undefined) throw new Error(`BUG: no answer to question ${question}`);
    const known = readers.get(question) ?? { reader: new ColumnReader(stream), numbers: [] };
    readers.set(question, known);
    const { reader, numbers } = known;
    numbers.push(query);
    if (questions[query + 1] === question) continue;
    for (;;) {
      const columns = await reader.before(numbers.length);
      if (columns === undefined) break;
      yield columns.map((column) => {
        const number = numbers[column.query] ?? -1;
        return named(column, number, request.queries[number]?.metric);
      });
    }
  }
}

/** A column under the query that asked for it. It is not copied: an answer has thousands of them. */
function named(column: Part, query: number, metric = ''): AnswerColumn {
  column.query = query;
  return Object.assign(column, { metric });
}

/** The core has made a query of each node and metric, one node after the other. */
async function* ofAllNodes(request: QueryRequest, streams: readonly PieceStream[]): AsyncGenerator<AnswerColumn[]> {
  const metrics = request.forAllNodes ?? [];
  for (const [partition, stream] of streams.entries()) {
    do {
      const columns = readColumns(stream.current.bytes);
      if (columns.length === 0) continue;
      yield columns.map((column) => {
        const number = column.query % metrics.length;
        const node = (column.query - number) / metrics.length;
        const entry = node * streams.length + partition;
        column.entry = entry;
        return named(column, request.queries.length + number, metrics[number]);
      });
    } while (await stream.next());
  }
}
