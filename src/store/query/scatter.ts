/** Main thread. A request becomes one question a partition concerned, and each client is asked its questions at once. */
import { encodeForAllNodes, encodeRequest, type QueryRequest, type SeriesQuery } from '../../wasm/request.js';
import type { PartitionClient } from '../client.js';
import type { Placement } from '../placement.js';
import type { PieceStream } from './piece-stream.js';
import type { Question } from './question.js';

/** Which answers a request's queries have. */
export interface Order {
  /** Number of the question that answers each query. A question's lists are in the order of its queries. */
  questions: number[];
  /** Number of the first question about all nodes: those to all partitions, if there are any, are the last ones. */
  firstForAll: number;
}

/** The questions that make up a request. */
export interface Plan {
  questions: Question[];
  order: Order;
}

/**
 * One question to each partition that has one of the queries' hosts, and one to each about all of its nodes.
 * @param form of the answers.
 */
export function plan(request: QueryRequest, placement: Placement, form: 'query' | 'columns'): Plan {
  const questions: Question[] = [];
  const order: number[] = [];
  const queries = new Map<number, SeriesQuery[]>();
  const numbers = new Map<number, number>();
  const terms = request.isStrong ? { isStrong: true } : {};
  for (const query of request.queries) {
    const partition = placement.partitionOf(request.cluster, query.host);
    const group = queries.get(partition);
    if (group) group.push(query);
    else {
      numbers.set(partition, queries.size);
      queries.set(partition, [query]);
    }
    order.push(numbers.get(partition) as number);
  }
  for (const [partition, group] of queries) {
    questions.push({ partition, kind: form, request: encodeRequest(request, group), ...terms });
  }
  if (request.forAllNodes?.length) {
    const bytes = encodeForAllNodes(request, request.forAllNodes);
    for (const partition of placement.partitions)
      questions.push({ partition, kind: `${form}-all`, request: bytes, ...terms });
  }
  return { questions, order: { questions: order, firstForAll: queries.size } };
}

/** Asks each client its questions at once. Resolves to the answers in the order of the questions, rejects with an error. */
export function ask(questions: readonly Question[], placement: Placement): Promise<PieceStream[]> {
  const groups = new Map<PartitionClient, Question[]>();
  for (const question of questions) {
    const client = placement.clientOf(question.partition);
    const group = groups.get(client);
    if (group) group.push(question);
    else groups.set(client, [question]);
  }
  const [only] = groups;
  if (!only) return Promise.resolve([]);
  // Of one client the questions are in order. No promise more than needed: small questions feel each.
  return groups.size === 1 ? only[0].ask(only[1]) : askSeveral(questions, groups);
}

async function askSeveral(
  questions: readonly Question[],
  groups: ReadonlyMap<PartitionClient, Question[]>,
): Promise<PieceStream[]> {
  const settled = await Promise.allSettled([...groups].map(([client, group]) => client.ask(group)));
  const answers = new Map<Question | undefined, PieceStream>();
  let failed: PromiseRejectedResult | undefined;
  for (const [i, group] of [...groups.values()].entries()) {
    const result = settled[i];
    if (result?.status === 'rejected') failed = result;
    else for (const [n, stream] of result?.value.entries() ?? []) answers.set(group[n], stream);
  }
  if (failed) {
    for (const stream of answers.values()) stream.leave();
    throw failed.reason;
  }
  return questions.map((question) => answers.get(question) as PieceStream);
}
