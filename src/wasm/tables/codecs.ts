/** The codecs of sealed blocks, in one table that the core (AssemblyScript imports this very file) and the host read. */

/** Number of a codec: byte 0 of every block, in memory and on disk. Never renumber. */
export enum Codec {
  /** One value, or nothing but gaps. */
  Constant = 0,
  /** The most common value and a list of exceptions. */
  Sparse = 1,
  /** Runs of equal values. */
  Runs = 2,
  /** Decimal-scaled integers above a frame of reference. */
  DecimalFrame = 3,
  /** Differences of decimal-scaled integers. */
  DecimalDelta = 4,
  /** The doubles' bits as integers above a frame of reference. */
  BitsFrame = 5,
  /** Differences of the doubles' bits. */
  BitsDelta = 6,
  /** A dictionary of the doubles' upper bits, the lower bits as they are. */
  Split = 7,
  /** Plain doubles. */
  Raw = 8,
}
