/** What partitions are asked, and what their answers are made of. */

/**
 * What a question is about; which bytes make its request, and what the marks of its pieces mean.
 *
 *   query      `encodeRequest`       pieces of `,[entry,...],[entry,...]`; marks: where each list ends that a piece completes
 *   query-all  `encodeForAllNodes`   the same; the first piece begins with the queries that were made, `{...},{...}`: its one
 *                                    mark is their length
 *   columns, columns-all             the same requests, answered with parts of columns (wasm/columns.ts); no marks
 *   leaf       `encodeLeaf`          parts of a leaf of a PromQL expression (wasm/leaf.ts); no marks
 *   dump       names as JSON         the tree below a selector, `{...}`; no marks
 */
export type QuestionKind = 'query' | 'query-all' | 'columns' | 'columns-all' | 'leaf' | 'dump';

/** A question to one partition. */
export interface Question {
  partition: number;
  kind: QuestionKind;
  request: Uint8Array<ArrayBuffer>;
  /** See `QueryRequest`. */
  isStrong?: boolean;
}

/** A part of a partition's answer. */
export interface Piece {
  bytes: Uint8Array<ArrayBuffer>;
  /** Offsets in it; see `QuestionKind`. */
  marks: readonly number[];
  /** Its own, at the start of which it is; undefined: it shares one with others. */
  buffer: ArrayBuffer | undefined;
  /** Nothing follows. */
  done: boolean;
}
