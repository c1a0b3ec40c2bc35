/** Reads what the core knows of metrics that arrive without being configured; assembly/ingest/unconfigured.ts draws it. */
import type { Instance } from './instance.js';
import { UnconfiguredField, UnconfiguredRowField } from './tables/layouts.js';

/** A metric that arrives although the configuration does not name it. What comes from outside, names and all, is as it was sent. */
export interface UnconfiguredMetric {
  metric: string;
  /** That came since the start. */
  samples: number;
  /** Least seconds between two samples of a series; 0: not known yet. */
  step: number;
  /** Kinds of levels that it came at, four at most: `` is the node itself, `hwthread` its hardware threads. */
  levels: string[];
  /** When the last sample came, unix seconds. */
  newest: number;
  /** Metric and tags of a line, its first 256 bytes. */
  example: string;
}

export interface UnconfiguredMetrics {
  metrics: UnconfiguredMetric[];
  /** Names that are not remembered any more, because there were too many. */
  forgotten: number;
}

const decoder = new TextDecoder();

/** A copy of what is known. */
export function readUnconfigured(instance: Instance): UnconfiguredMetrics {
  const list = instance.exports.unconfigured.value as number;
  const count = instance.u32(list + UnconfiguredField.Count);
  const metrics = Array.from({ length: count }, (_, i) =>
    readRow(instance, instance.u32(list + UnconfiguredField.Rows + 4 * i)),
  );
  return { metrics, forgotten: instance.u32(list + UnconfiguredField.Forgotten) };
}

function readRow(instance: Instance, row: number): UnconfiguredMetric {
  const text = (at: number, bytes: number): string => decoder.decode(instance.bytes.subarray(at, at + bytes));
  const levels = Array.from({ length: instance.u32(row + UnconfiguredRowField.LevelCount) }, (_, i) => {
    const level = row + UnconfiguredRowField.Levels + i * UnconfiguredRowField.LevelSize;
    return text(level + 1, instance.words.getUint8(level));
  });
  return {
    metric: text(row + UnconfiguredRowField.Name, instance.u32(row + UnconfiguredRowField.NameLength)),
    samples: instance.f64(row + UnconfiguredRowField.Samples),
    step: instance.u32(row + UnconfiguredRowField.Step),
    levels,
    newest: Number(instance.words.getBigInt64(row + UnconfiguredRowField.Newest, true)),
    example: text(row + UnconfiguredRowField.Example, instance.u32(row + UnconfiguredRowField.ExampleLength)),
  };
}
