/**
 * What is read from and written to the files of the reference (ClusterCockpit's cc-metric-store in Go). The bytes are
 * drawn in docs/formats-reference.md. Times are unix seconds.
 */

/**
 * A run of consecutive bins of one series.
 *
 * `start` is the time of the first bin's *sample*, not the bin's left edge: value k belongs to the bin that contains
 * the time `start + k * frequency`. A series that begins with this run is anchored there, so its bin k covers
 * `[start + k*f - f/2, start + k*f + f/2)` with integer division. A series that exists already keeps its own anchor
 * and only looks up the bin that contains each of these times; nothing shifts, whatever second a file's window began at.
 *
 * (The reference itself takes `start` for the left edge when it loads a file, so its own answers move by half a
 * frequency with every restart. What it writes, and what it archives, means the sample's time.)
 */
export interface SeriesRun {
  cluster: string;
  host: string;
  /** Names of the levels below the host, outermost first; empty: the host's own series. */
  levels: string[];
  metric: string;
  /** Seconds between bins, at least 1. */
  frequency: number;
  start: number;
  /** NaN: missing. Owned by whoever received the run. */
  values: Float64Array;
}

/** One record of the reference's log, as an object; batches are columnar, see `LogBatch`. */
export interface LogSample {
  cluster: string;
  host: string;
  levels: string[];
  metric: string;
  timestamp: number;
  /** As the file holds it: a float32. */
  value: number;
}

export interface LogSeries {
  levels: string[];
  metric: string;
}

/** Consecutive records of one host's log in columns. The arrays are the receiver's to keep; only `count` entries count. */
export interface LogBatch {
  cluster: string;
  host: string;
  /** The series seen so far in this file, in order of first appearance. One growing list shared by all its batches. */
  series: readonly LogSeries[];
  count: number;
  /** Position in `series`. */
  seriesIndex: Uint32Array;
  timestamps: Float64Array;
  values: Float64Array;
}

/** A file that is not what its name says, or is damaged. `offset` is the byte at which the file stopped making sense. */
export class ReferenceFormatError extends Error {
  override readonly name = 'ReferenceFormatError';
  readonly code = 'REFERENCE_FORMAT';

  constructor(
    readonly file: string,
    readonly offset: number,
    /** What was found and what was expected instead, without file and offset. */
    readonly why: string,
  ) {
    super(`${file}: byte ${offset}: ${why}`);
  }
}

/** Runs longer than this are handed out in pieces, so that memory stays flat whatever a file claims. */
export const MAX_RUN_BINS = 65_536;

/** Deepest level below a host; the protocol makes two. A guard against damaged counts. */
export const MAX_LEVELS = 32;

/** Seconds (year 141 000). Anything later is damage. */
export const MAX_TIME = 2 ** 42;

/** Seconds. */
export const MAX_FREQUENCY = 2 ** 31 - 1;
