/** Partitions whose answers are made up: texts, cut into pieces of any size. */
import type { CallName, Calls, PartitionClient, Written } from '../../src/store/client.js';
import { Placement } from '../../src/store/placement.js';
import { AnswerBudget } from '../../src/store/query/budget.js';
import { PieceStream } from '../../src/store/query/piece-stream.js';
import type { Piece, Question } from '../../src/store/query/question.js';
import type { HostRouter } from '../../src/store/routing.js';

const encoder = new TextEncoder();

/** A whole answer as text, and its marks as offsets into all of it. */
export interface MadeUp {
  text: string;
  marks: number[];
}

export class FakeClient implements PartitionClient {
  readonly asked: Question[][] = [];
  readonly wanted: number[] = [];
  readonly left: number[] = [];
  readonly budget = new AnswerBudget();
  readonly #answer: (question: Question) => MadeUp;
  readonly #pieceBytes: number;
  #nextId = 0;

  /** @param answer may throw. @param pieceBytes the whole answer is one piece when it is left out. */
  constructor(answer: (question: Question) => MadeUp, pieceBytes = Number.POSITIVE_INFINITY) {
    this.#answer = answer;
    this.#pieceBytes = pieceBytes;
  }

  async ask(questions: readonly Question[]): Promise<PieceStream[]> {
    this.asked.push([...questions]);
    await new Promise(setImmediate);
    const answers = questions.map((question) => this.#answer(question));
    return answers.map((answer) => this.#open(this.#nextId++, answer));
  }

  #open(id: number, { text, marks }: MadeUp): PieceStream {
    const bytes = encoder.encode(text);
    const pieces: Piece[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += this.#pieceBytes) {
      const end = Math.min(bytes.length, at + this.#pieceBytes);
      const inside = marks.filter((mark) => mark > at && mark <= end).map((mark) => mark - at);
      pieces.push({ bytes: bytes.slice(at, end), marks: inside, buffer: undefined, done: end === bytes.length });
    }
    const [first, ...rest] = pieces;
    if (!first) throw new Error('no piece');
    const more = (): void => {
      this.wanted.push(id);
      const piece = rest.shift();
      if (piece) setImmediate(() => stream.receive(piece));
    };
    const stream = new PieceStream(id, first, { more, leave: () => this.left.push(id) }, this.budget);
    return stream;
  }

  write(): Promise<Written> {
    throw new Error('not asked for');
  }

  call<N extends CallName>(): Promise<Calls[N]['result']> {
    throw new Error('not asked for');
  }
}

/** Host `h<n>` is in partition n. @param clients partition n is of client n modulo their number. */
export function placementOf(partitions: number, ...clients: PartitionClient[]): Placement {
  const router = { partitions, partitionOf: (_cluster: string, host: string) => Number(host.slice(1)) };
  return new Placement(router as HostRouter, (partition) => clients[partition % clients.length]);
}
