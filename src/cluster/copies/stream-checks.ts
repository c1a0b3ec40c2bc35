/** What of a stream is not as a copy expects it. */
import type { JetStreamManager } from 'nats';
import { foundDifferent } from '../../nats/follower.js';
import type { Position } from '../../persistence/stream-position.js';

/** How the stream differs from the one that the position is of; undefined: it does not. */
export function differenceOf(
  manager: JetStreamManager,
  stream: string,
  position: Position,
  created: string,
  last: number,
): Promise<string | undefined> {
  // Of a position before its first message only its making can be compared.
  if (position.seq === 0 && position.created === created) return Promise.resolve(undefined);
  return foundDifferent(manager, stream, position, created, last);
}

/**
 * Where a gap ends: numbers without a message, between others that have theirs. NATS numbers and stores a message before it finds that
 * its account has no room left; then it removes it again, and acknowledges nothing.
 * @returns the last number of the gap, if `first` is in one; undefined: its message is there, or has not come yet.
 */
export async function endOfGap(manager: JetStreamManager, stream: string, first: number): Promise<number | undefined> {
  const { state } = await manager.streams.info(stream, { deleted_details: true });
  const missing = new Set(state.deleted);
  let next = first;
  while (missing.has(next)) next++;
  return next > first ? next - 1 : undefined;
}
