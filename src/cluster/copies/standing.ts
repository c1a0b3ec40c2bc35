/**
 * A stream that was made anew begins at 1, and what a copy has of the one before can't be read again. So the copies compare how far
 * each of them has read the one before: whoever has less is copied anew from one that has most, and nobody is asked before it
 * has compared itself.
 */
import type { Origin } from '../../persistence/stream-position.js';
import type { Holding } from '../members/members.js';

/** `unknown`: others have not said yet how much they have. `lacking`: somebody has, or had, more. */
export type Standing = 'whole' | 'unknown' | 'lacking';

/** A copy of this store. */
export interface OwnCopy {
  /** When the stream was made that it follows. */
  created: string;
  /** How far it had read the one before; undefined: it has nothing of it. */
  before: Origin | undefined;
  /** The cluster knows that a stream of the partition was lost. */
  isLost: boolean;
  /** The stream was found to be another one a moment ago. */
  isWaiting: boolean;
}

/** Another store that holds the partition, by its last heartbeat. */
export interface OtherCopy {
  isAlive: boolean;
  holding: Holding;
}

/** Whether one has more of the streams that are no more. */
function hasMore(other: Origin | undefined, own: Origin | undefined): boolean {
  return compareOrigins(other, own) > 0;
}

/** Positive: `a` goes further. A later stream goes further than all of an earlier one. */
export function compareOrigins(a: Origin | undefined, b: Origin | undefined): number {
  if (!a?.seq || !b?.seq) return (a?.seq ?? 0) - (b?.seq ?? 0);
  return Date.parse(a.created) - Date.parse(b.created) || a.seq - b.seq;
}

export function standingOf({ created, before, isLost, isWaiting }: OwnCopy, others: readonly OtherCopy[]): Standing {
  let standing: Standing = 'whole';
  for (const { isAlive, holding } of others) {
    const [applied, , , theirs, theirBefore] = holding;
    if (theirs === created && hasMore(theirBefore, before)) return 'lacking';
    // Nobody has found another stream than it had.
    if (!before && !isLost) continue;
    if (theirs !== created) {
      // It has not found the new stream yet, and never will when it is gone.
      if (isAlive) standing = 'unknown';
      else if (hasMore({ created: theirs, seq: applied }, before)) return 'lacking';
    } else if (before?.created === created && !theirBefore && isAlive && isWaiting) {
      // The stream went back and is the same one: who had read less than what is left of it will never notice.
      standing = 'unknown';
    }
  }
  return standing;
}
