/**
 * Numbers that cross the boundary between the Wasm core and the host, in one table that both sides compile
 * (AssemblyScript imports this very file). Only integers cross; text is made on the host, late (see `lineReasons`).
 */

/** Why a line was refused. 0 is "not refused". */
export enum LineError {
  None = 0,
  NoMetric = 1,
  BadTag = 2,
  NoFields = 3,
  UnknownField = 4,
  BadValue = 5,
  OutOfRange = 6,
  UnsupportedType = 7,
  BadTimestamp = 8,
  NegativeTimestamp = 9,
  Garbage = 10,
  NoCluster = 11,
  NoHost = 12,
  UnsafeName = 13,
  NameTooLong = 14,
  TimestampTooFar = 15,
  OutOfMemory = 16,
  TimestampTooNew = 17,
  TimestampTooOld = 18,
  UnknownTag = 19,
  BadTagValue = 20,
  TooManyLevels = 21,
  TooManyFields = 22,
}

/** The highest of them. */
export const LAST_LINE_ERROR = LineError.TooManyFields;

/**
 * First word of a frame, little-endian: "CCMB" in log segments, "CCMK" in checkpoint files, "CCMH" at the beginning of both,
 * "CCME" in early writes.
 */
export enum FrameMagic {
  Log = 0x424d4343,
  Checkpoint = 0x4b4d4343,
  Early = 0x454d4343,
  Header = 0x484d4343,
}

/** What of each series a checkpoint's file holds. */
export enum CheckpointContent {
  /** All blocks, and the open one. */
  Full = 0,
  /** The open block: the newest bins, which are written anew each time. */
  Open = 1,
  /** Sealed blocks that no file holds yet. */
  Sealed = 2,
}

/** Number of a partition that has no hosts: a core with it checks lines and stores none. */
export const CHECKS_ONLY = -1;

/** Buckets of assembly/series/age-histogram.ts. */
export enum AgeHistogram {
  /** A doubling of the age has 2^Bits buckets. */
  Bits = 7,
  /** Buckets of one direction in time: 44 doublings, beyond every date. */
  Half = 5632,
}

/** How children are combined into one series; the config's "aggregation". */
export enum Aggregation {
  None = 0,
  Sum = 1,
  Avg = 2,
}

/** How exactly a metric's samples are kept; 0..9 are the decimals kept. */
export enum Precision {
  /** Every bit. */
  Double = -1,
  /** As float32. */
  Single = -2,
}

/** What the entries of an answer have to have: bits of a request. */
export enum AnswerParts {
  Stats = 1,
  Data = 2,
  /** Missing values from the start that was asked for up to the first sample. */
  Padding = 4,
}

/** Bits of one query of a request. */
export enum QueryBits {
  HasType = 1,
  Aggregate = 2,
  HasSubtype = 4,
}

/** Why one entry of a query answer is an error instead of data. */
export enum QueryError {
  None = 0,
  FromAfterTo = 1,
  UnknownMetric = 2,
  NoAggregation = 3,
  BadResolution = 4,
  TooLong = 5,
  PaddingTooLong = 6,
}

/** What linear memory is used for. */
export enum MemoryKind {
  /** Tree, series, keys, tables. */
  Index = 0,
  OpenBlocks = 1,
  SealedBlocks = 2,
  /** Staging, output, requests. */
  Scratch = 3,
  /** Kept roll-ups: memory of theirs is refused, or taken back, before any other is. */
  Rollups = 4,
  Count = 5,
}

/** Bytes after a text in staging that the core may read: SIMD loads overrun it. */
export const STAGING_SLACK = 64;

/** Hosts that are noted so, a batch. */
export const MAX_TIME_FAULTS = 32;

/** The fields of a log record's tag, as masks (assembly/durable/log.ts draws records). */
export enum LogTag {
  Series = 3,
  Time = 3 << 2,
  Value = 7 << 4,
}

/** `LogTag.Series`: which series a log record is of. */
export enum LogSeries {
  /** The series with the next number. */
  Next = 0,
  Number = 1,
  /** A number and the names that it stands for from now on. */
  Define = 2,
  /** The record is no sample: what ends before a time was freed. */
  Free = 3,
}

/** `LogTag.Time`: when its sample is. */
export enum LogTime {
  /** As the sample before. */
  Same = 0,
  Delta = 1 << 2,
  Full = 2 << 2,
}

/** `LogTag.Value`: how its value is written. */
export enum LogValue {
  F64 = 0,
  Zero = 1 << 4,
  U8 = 2 << 4,
  I16 = 3 << 4,
  I32 = 4 << 4,
  F32 = 5 << 4,
}

/** What `nextFrame` returns. */
export enum FrameSearch {
  None = 0,
  Found = 1,
  /** The beginning of one: it is to be given with more bytes. */
  Unfinished = 2,
}

/** What `replayFrame` returns. */
export enum Replay {
  OutOfMemory = -1,
  /** The frame makes no sense although its checksum holds. */
  Unsound = 0,
  Done = 1,
}

/** What steps over all series return instead of the number of the series to go on with. */
export enum SeriesStep {
  OutOfMemory = -2,
  End = -1,
}

/** What `unsavedBefore` returns instead of the number of the series to go on with. */
export enum Unsaved {
  Some = -2,
  None = -1,
}

/** What `exportSeries` returns. */
export enum Export {
  OutOfMemory = -1,
  /** There is no such series, or it has no bin in the range. */
  None = 0,
  Written = 1,
}

/** What a step of an answer returns. */
export enum AnswerStep {
  /** Nodes are gone that a dump would go on with. */
  TreeChanged = -2,
  OutOfMemory = -1,
  Done = 0,
  More = 1,
}

/** How a metric of a node is doing. */
export enum NodeState {
  Healthy = 0,
  Degraded = 1,
  Missing = 2,
}

/** Where blocks without a codec are counted among those of each codec: samples that came late are plain doubles. */
export const LOOSE_BLOCKS = 15;

/** What a leaf of a PromQL expression makes of the samples of a series at each step. */
export enum LeafFunction {
  /** Nothing: which series there are, and from when to when. */
  Series = 0,
  /** The bins themselves, not at steps. */
  Samples = 1,
  /** The newest sample not older than the look-back, or its time. */
  Instant = 2,
  InstantTime = 3,
  Rate = 4,
  Increase = 5,
  Delta = 6,
  Irate = 7,
  Idelta = 8,
  Deriv = 9,
  PredictLinear = 10,
  Avg = 11,
  Sum = 12,
  Count = 13,
  Min = 14,
  Max = 15,
  First = 16,
  Last = 17,
  Present = 18,
  Stddev = 19,
  Stdvar = 20,
  TimeOfMin = 21,
  TimeOfMax = 22,
  TimeOfFirst = 23,
  TimeOfLast = 24,
  Changes = 25,
  Resets = 26,
}

/** How the rows of a group are added up in the core. */
export enum LeafAggregation {
  None = 0,
  /** Sum and what rounding has lost of it. */
  Sum = 1,
  /** The same, and the number of samples. */
  Avg = 2,
  Count = 3,
  Min = 4,
  Max = 5,
  /** Number, mean and sum of squared differences. */
  Variance = 6,
}

/** Labels by which rows are grouped: bits. */
export enum LeafGrouping {
  Metric = 1,
  Cluster = 2,
  Host = 4,
  Type = 8,
  TypeId = 16,
  Subtype = 32,
  SubtypeId = 64,
}

/** Which names of a level a leaf takes. */
export enum LevelFilter {
  Any = 0,
  Only = 1,
  AllBut = 2,
}

/** What a step of a leaf returns. */
export enum LeafStep {
  /** Series are gone that it would go on with: begin again. */
  Changed = -2,
  OutOfMemory = -1,
  Done = 0,
  More = 1,
  /** Rows would take more than the room that was given. */
  TooLarge = 2,
}
