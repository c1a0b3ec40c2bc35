/** What is wrong with a cluster of stores, member by member and partition by partition. */

/** A store, as the one that is asked sees it. */
export interface MemberStatus {
  id: string;
  url: string;
  zone: string;
  weight: number;
  version: string;
  state: 'active' | 'draining' | 'leaving' | 'stopped' | 'dead';
  /** Seconds since its last heartbeat. */
  seen: number;
  /** Seconds that its clock is ahead of NATS's; null: that is not known. */
  clockAhead: number | null;
  /** Partitions that it holds, and those of them that may be asked. */
  holds: number;
  ready: number;
}

export interface ClusterPartition {
  partition: number;
  /** Stores that are to hold it. */
  owners: string[];
  /** Numbers of the last message that is applied, and of the last one that is on the disk. */
  holders: { id: string; applied: number; saved: number; ready: boolean }[];
  /** Number of the last message that was acknowledged. */
  acked: number;
}

/** Of GET /api/cluster. */
export interface ClusterStatus {
  name: string;
  id: string;
  state: string;
  copiesMissing: number;
  partitionsMissing: number;
  /** Seconds that the copies of this store are behind; null: one was never caught up. */
  lag: number | null;
  members: MemberStatus[];
  partitions: ClusterPartition[];
}

/** What an administrator is told first; `dead`: questions are not answered, `late`: one more failure may cost something. */
export function verdictOf(status: ClusterStatus): { text: string; tone: 'good' | 'late' | 'dead' } {
  const { state, partitionsMissing, copiesMissing } = status;
  if (partitionsMissing > 0) {
    return {
      text: `${counted(partitionsMissing, 'partition')} can’t be asked: no store has a ready copy`,
      tone: 'dead',
    };
  }
  if (state === 'cut off')
    return { text: 'this store is cut off from NATS: answers may lack what is new', tone: 'dead' };
  if (copiesMissing > 0)
    return { text: `${counted(copiesMissing, 'copy', 'copies')} missing or not ready`, tone: 'late' };
  return { text: 'all copies are there', tone: 'good' };
}

function counted(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? `1 ${one}` : `${n} ${many}`;
}

/** Stores refuse each other's requests from 60 s on. */
const CLOCK_SECONDS = 30;

/** A clock that is about to do harm. */
export function hasWrongClock({ clockAhead }: MemberStatus): boolean {
  return Math.abs(clockAhead ?? 0) > CLOCK_SECONDS;
}

/** Messages that the ready copy which is furthest behind lacks of what was acknowledged; NaN: no copy is ready. */
export function messagesBehind({ holders, acked }: ClusterPartition): number {
  const applied = holders.filter(({ ready }) => ready).map((holder) => holder.applied);
  return applied.length === 0 ? Number.NaN : Math.max(0, acked - Math.min(...applied));
}

/** Owners without a ready copy. */
export function missingOf({ owners, holders }: ClusterPartition): string[] {
  return owners.filter((owner) => !holders.some(({ id, ready }) => id === owner && ready));
}
