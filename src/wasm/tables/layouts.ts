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
  RolledUp = 32,
  From = 40,
  To = 48,
  Step = 56,
  Samples = 64,
  Sum = 72,
  Least = 80,
  Greatest = 88,
  /** Bytes before the names. */
  Header = 96,
}

/** Offsets in a run: lines of a text that belong to one partition (assembly/ingest/runs.ts draws it). All are u32. */
export enum RunField {
  Partition = 0,
  Offset = 4,
  Length = 8,
  FirstLine = 12,
  Lines = 16,
  Size = 20,
}

/** Offsets in what became of a batch of lines, u32 each; assembly/ingest/batch.ts says what they are. */
export enum BatchField {
  Lines = 0,
  Stored = 4,
  Skipped = 8,
  Refused = 12,
  LeftOut = 16,
  /** Number of refusals that are described, and the first of them. */
  Described = 20,
  Refusals = 24,
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

/** Offsets in a host whose time is at fault; assembly/ingest/clock.ts draws it. */
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

/** Offsets in the metrics that arrive without being configured (assembly/ingest/unconfigured.ts), u32 each. */
export enum UnconfiguredField {
  Count = 0,
  /** Names that had a row until another one took it. */
  Forgotten = 4,
  /** Addresses of the rows. */
  Rows = 12,
}

/** Offsets in a row of these; assembly/ingest/unconfigured.ts draws it. */
export enum UnconfiguredRowField {
  Samples = 0,
  Newest = 8,
  Step = 36,
  NameLength = 40,
  ExampleLength = 44,
  LevelCount = 48,
  Levels = 53,
  /** Bytes of a level: its length in one, and its name. */
  LevelSize = 24,
  Name = 149,
  Example = 405,
  Size = 661,
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

/** Offsets in the list of runs that the last call has found, u32 each. */
export enum RunsField {
  /** Address of the first. */
  At = 0,
  Count = 4,
}

/** Offsets in the log, of whose bytes the host has not taken some, u32 each. */
export enum LoggedField {
  /** Address of the first. */
  At = 0,
  Length = 4,
  /** Series that the segment names. */
  Series = 8,
}

/** Offsets in the output buffer, u32 each. */
export enum OutputField {
  /** Addresses of the first byte, and after the last. */
  At = 0,
  End = 4,
}

/** Offsets in a stretch of time, f64 each, unix seconds; From > To: it is empty. */
export enum SpanField {
  From = 0,
  To = 8,
}

/** Offsets in what a checkpoint's file holds so far: a span, and u32. */
export enum WrittenField {
  Series = 16,
}

/** Offsets in what `nextFrame` has found, u32 each. */
export enum FoundField {
  /** Address of the frame. */
  At = 0,
  /** Bytes of its payload. */
  Length = 4,
  /** Bytes before it that are no frame. */
  Skipped = 8,
  /** Bytes from the start of an unfinished one on that are needed to go on. */
  Needed = 12,
}

/** Offsets in what `replayFrame` has done, u32 each. */
export enum ReplayedField {
  /** Samples stored, and left out: too old, of an unknown metric, another partition's. */
  Stored = 0,
  LeftOut = 4,
  /** Of those left out, samples whose series was named in a frame that is damaged. */
  Unnamed = 8,
  /** Records of what was freed, since the start. */
  Frees = 12,
  Foreign = 16,
}

/** Offsets in what `checkpointLoad` has done, u32 each. */
export enum LoadedField {
  Series = 0,
  /** Blocks that could not be trusted. */
  Unsound = 4,
  Foreign = 8,
}

/** Offsets in what `exportSeries` has written. */
export enum ExportedField {
  /** Unix seconds of the middle of the first bin, f64. */
  Start = 0,
  /** Seconds a bin, u32. */
  Frequency = 8,
  /** Bytes of names before the values, and number of values, u32. */
  Names = 12,
  Count = 16,
}

/** Offsets in the ends of a piece's lists: their number and, one after the other, where each ends in the piece. All are u32. */
export enum EndsField {
  Count = 0,
  Ends = 4,
}

/** Offsets in what was counted since `countBegin`. */
export enum CountedField {
  /** f64. */
  Samples = 0,
  /** Bytes of blocks, f64. */
  Bytes = 8,
  /** u32. */
  Series = 16,
  /** Blocks by codec, u32 each, up to LOOSE_BLOCKS. */
  Blocks = 20,
}
