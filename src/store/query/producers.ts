/** Worker. How the core makes the answer to each kind of question, piece by piece. */
import type { MemoryView } from '../../wasm/instance.js';
import type { Reads } from '../../wasm/reads.js';
import { StoreError } from '../store.js';
import type { QuestionKind } from './question.js';

/** A piece in linear memory, valid until the core is called again. */
export interface Made {
  bytes: MemoryView;
  marks: readonly number[];
  done: boolean;
}

/** An answer that is being made. */
export interface Producer {
  /** Bytes that it holds in linear memory until its end. */
  readonly bytes: number;
  /** Makes the next piece of about so many bytes. @throws StoreError; the producer is to be ended then, too. */
  next(bytes: number): Made;
  /** Nobody waits for the next piece: what can be made again may be given back. */
  rest(): void;
  /** Gives back what the core keeps for the answer, finished or not. */
  end(): void;
}

const NO_MARKS: readonly number[] = [];
const nothing = (): void => {};

/** What all queries have in common. @param state of `queryBegin`. */
function ofQuery(reads: Reads, state: number): Omit<Producer, 'next'> {
  return {
    bytes: reads.queryBytes(state),
    rest: () => reads.queryRest(state),
    end: () => reads.queryEnd(state),
  };
}

/** Begins an answer. @throws StoreError NOT_FOUND, OUT_OF_MEMORY. */
type Begin = (reads: Reads, request: Uint8Array) => Producer;

const query: Begin = (reads, request) => {
  const state = reads.queryBegin(request);
  return {
    ...ofQuery(reads, state),
    next: (budget) => {
      const { bytes, done } = reads.queryStep(state, budget);
      return { bytes, marks: reads.queryEnds, done };
    },
  };
};

const queryAll: Begin = (reads, request) => {
  const { state, text } = reads.queryAllBegin(request);
  const { length } = text;
  let isFirst = true;
  return {
    ...ofQuery(reads, state),
    next: (budget) => {
      const { bytes, done } = reads.queryStep(state, budget, isFirst);
      const marks = isFirst ? [length] : NO_MARKS;
      isFirst = false;
      return { bytes, marks, done };
    },
  };
};

function columnsOf(reads: Reads, state: number): Producer {
  return {
    ...ofQuery(reads, state),
    next: (budget) => ({ ...reads.columnsStep(state, budget), marks: NO_MARKS }),
  };
}

const columns: Begin = (reads, request) => columnsOf(reads, reads.queryBegin(request));
const columnsAll: Begin = (reads, request) => columnsOf(reads, reads.queryAllBegin(request).state);

const leaf: Begin = (reads, request) => {
  const state = reads.leafBegin(request);
  return {
    bytes: request.length,
    next: (budget) => ({ ...reads.leafStep(state, budget), marks: NO_MARKS }),
    rest: nothing,
    end: () => reads.leafEnd(state),
  };
};

const decoder = new TextDecoder();

const dump: Begin = (reads, request) => {
  const selector = JSON.parse(decoder.decode(request)) as string[];
  if (!reads.dumpBegin(selector)) throw new StoreError('NOT_FOUND', `not found: ${selector.join(':')}`);
  return {
    bytes: request.length,
    next: (budget) => {
      const piece = reads.dumpStep(budget);
      if (!piece) throw new StoreError('INTERNAL', 'the tree changed while it was dumped; ask again');
      return { ...piece, marks: NO_MARKS };
    },
    rest: nothing,
    end: nothing,
  };
};

export const producers: Record<QuestionKind, Begin> = {
  query,
  'query-all': queryAll,
  columns,
  'columns-all': columnsAll,
  leaf,
  dump,
};
