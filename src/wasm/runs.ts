import type { Instance } from './instance.js';
import { RunField, RunsField } from './tables/layouts.js';

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

/** The runs that the last `route` or `ingest` has found; assembly/ingest/runs.ts draws them. */
export function readRuns(instance: Instance): Run[] {
  const runs = instance.exports.runs.value;
  const count = instance.u32(runs + RunsField.Count);
  if (!count) return NONE;
  let p = instance.u32(runs + RunsField.At);
  return Array.from({ length: count }, () => {
    const run = {
      partition: instance.u32(p + RunField.Partition),
      offset: instance.u32(p + RunField.Offset),
      length: instance.u32(p + RunField.Length),
      firstLine: instance.u32(p + RunField.FirstLine),
      lines: instance.u32(p + RunField.Lines),
    };
    p += RunField.Size;
    return run;
  });
}
