/**
 * Where fields are, in bytes from the start of their structure, in what one side of the boundary writes and the other reads.
 * Both sides compile this file, as codes.ts. The core compares its own structures with it when it is compiled.
 */

/** Where the fields of a part of a column are, in bytes from its start; assembly/answer/columns.ts draws them. */
export enum ColumnPart {
  Bytes = 0,
  Error = 4,
  Query = 8,
  Entry = 12,
  Count = 16,
  First = 20,
  Here = 24,
  Names = 28,
  From = 32,
  To = 40,
  Step = 48,
  Samples = 56,
  Sum = 64,
  Least = 72,
  Greatest = 80,
  /** Bytes before the names. */
  Header = 88,
}

/** Offsets in a run: lines of a text that belong to one partition (assembly/runs.ts draws it). All are u32. */
export enum RunField {
  Partition = 0,
  Offset = 4,
  Length = 8,
  FirstLine = 12,
  Lines = 16,
  Size = 20,
}

/** Offsets in a described refusal, i32 each. */
export enum RefusalField {
  Line = 0,
  Reason = 4,
  /** If its time is at fault: place of its host among the time faults, from 1; 0: it is not among them. */
  Fault = 8,
  /** Address of the tag that is to blame, within the text, and its bytes; 0: none is. */
  Tag = 12,
  TagLength = 16,
  Size = 20,
}

/** Offsets in a host whose time is at fault; assembly/clock.ts draws it. */
export enum TimeFaultField {
  Reason = 0,
  Lines = 4,
  Seconds = 8,
  ClusterLength = 16,
  HostLength = 20,
  Cluster = 24,
  Host = 280,
  Size = 536,
}

/** Offsets in a frame of a log segment or checkpoint file (assembly/durable/log.ts draws it); before the payload u32 each. */
export enum FrameField {
  Magic = 0,
  Length = 4,
  Crc = 8,
  Version = 12,
  Payload = 16,
}

/** Offsets in a record of listed hosts (assembly/answer/hosts.ts draws it). */
export enum HostField {
  /** Address of the cluster's node. */
  Cluster = 0,
  Series = 4,
  Oldest = 8,
  Newest = 16,
  Frequency = 24,
  NameLength = 28,
  Name = 30,
}

/** Where the fields of a leaf's request are, in bytes; assembly/read/leaf.ts draws it. */
export enum LeafField {
  Start = 0,
  Step = 8,
  Shift = 16,
  /** The one time that all steps look at; NaN: none. */
  Fixed = 24,
  Range = 32,
  Lookback = 40,
  Parameter = 48,
  /** Bytes that rows may take. */
  Room = 56,
  Count = 64,
  Function = 68,
  Aggregation = 72,
  Grouping = 76,
  /** Look back two frequencies where that is further. */
  Adaptive = 80,
  /** Bits: 1 << depth of the levels whose series are taken. */
  Depths = 84,
  /** Bytes before the metrics. */
  Header = 88,
}

/** Where the fields of a part of a leaf's answer are, in bytes from its start; assembly/answer/leaf.ts draws it. */
export enum LeafPart {
  Bytes = 0,
  Names = 4,
  Rows = 8,
  Count = 12,
  Frequency = 16,
  Metric = 20,
  First = 24,
  Last = 32,
  Header = 40,
}
