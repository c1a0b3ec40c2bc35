/** A checkpoint that is being written in steps, while the core goes on storing; whatever its layout. */
import type { CheckpointFile } from './manifest.js';

export interface CheckpointRun {
  /** It holds all that memory holds, not just what is new. */
  readonly full: boolean;
  /** Log segments below it will be covered. */
  readonly firstSegment: number;
  /** Since it began. */
  readonly seconds: number;
  /** Written so far. */
  readonly bytes: number;
  /** Makes and writes a little: what a write may have to wait for. @returns whether there is more. @throws the file system's error. */
  step(): boolean;
  /** Makes it durable. @returns its entries in the manifest, in the order in which they are to be read. */
  finish(): Promise<CheckpointFile[]>;
  /** Gives it up. */
  abandon(): void;
}
