import type { Instance } from './instance.js';
import { RunField } from './layouts.js';

/** A stretch of consecutive lines for one partition. */
export interface Run {
  partition: number;
  /** Bytes from the start of the text. */
  offset: number;
  length: number;
  /** Number of its first line, counting from 0. */
  firstLine: number;
  lines: number;
}

const NONE: Run[] = [];

/** The runs that the last `route` or `ingest` has found; assembly/runs.ts draws them. */
export function readRuns({ exports, words }: Instance): Run[] {
  const count = exports.runCount.value;
  if (!count) return NONE;
  let p = exports.runsAt() >>> 0;
  return Array.from({ length: count }, () => {
    const run = {
      partition: words.getUint32(p + RunField.Partition, true),
      offset: words.getUint32(p + RunField.Offset, true),
      length: words.getUint32(p + RunField.Length, true),
      firstLine: words.getUint32(p + RunField.FirstLine, true),
      lines: words.getUint32(p + RunField.Lines, true),
    };
    p += RunField.Size;
    return run;
  });
}
