/** Main thread. The partitions' columns become one answer, each column under its query in the request. */
import { type Column, type ColumnError, readColumns } from '../../wasm/columns.js';
import type { QueryRequest } from '../../wasm/request.js';
import type { AnswerColumn } from '../store.js';
import type { PieceStream } from './piece-stream.js';
import type { Order } from './scatter.js';

/** Names a question's columns as those of the request. */
type Naming = (column: Column | ColumnError) => AnswerColumn;

/** A question about some of the request's queries. @param numbers of these, in order. */
function ofQueries(request: QueryRequest, numbers: readonly number[]): Naming {
  return (column) => {
    const query = numbers[column.query] ?? -1;
    return { ...column, query, metric: request.queries[query]?.metric ?? '' };
  };
}

/** A question about all nodes: the core has made a query of each node and metric, one node after the other. */
function ofAllNodes(request: QueryRequest, partition: number, partitions: number): Naming {
  const metrics = request.forAllNodes ?? [];
  return (column) => {
    const number = column.query % metrics.length;
    const node = (column.query - number) / metrics.length;
    const query = request.queries.length + number;
    return { ...column, query, entry: node * partitions + partition, metric: metrics[number] ?? '' };
  };
}

/** All columns, piece by piece. @param streams one a question; they are left once the answer is read, or left itself. */
export async function* columnsOf(
  request: QueryRequest,
  { questions, firstForAll }: Order,
  streams: readonly PieceStream[],
): AsyncGenerator<AnswerColumn[]> {
  const numbers = streams.map((): number[] => []);
  for (const [query, question] of questions.entries()) numbers[question]?.push(query);
  try {
    // All of them, so that no worker is idle while another one's pieces are read.
    for (const stream of streams) stream.prefetch();
    for (const [i, stream] of streams.entries()) {
      const partition = i - firstForAll;
      const name =
        partition < 0
          ? ofQueries(request, numbers[i] ?? [])
          : ofAllNodes(request, partition, streams.length - firstForAll);
      do {
        const columns = readColumns(stream.current.bytes).map(name);
        if (columns.length) yield columns;
      } while (await stream.next());
    }
  } finally {
    for (const stream of streams) stream.leave();
  }
}
