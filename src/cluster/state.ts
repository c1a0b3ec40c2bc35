/** What a store says about its cluster: figures for /metrics, and what /api/cluster answers. */
import type { ClusterConfig } from '../config/config.js';
import type { Copies } from './copies/copies.js';
import type { Heartbeat, Members } from './members/members.js';

/** Counters since start. */
export interface ClusterFigures {
  messages: number;
  publishSeconds: number;
  publishFailures: number;
  failovers: number;
  staleAnswers: number;
  bootstrapBytes: number;
  /** Notes an acknowledgement, which took so long. */
  published(seconds: number): void;
}

export function newFigures(): ClusterFigures {
  return {
    messages: 0,
    publishSeconds: 0,
    publishFailures: 0,
    failovers: 0,
    staleAnswers: 0,
    bootstrapBytes: 0,
    published(seconds) {
      this.messages++;
      this.publishSeconds += seconds;
    },
  };
}

export interface MemberStatus {
  id: string;
  url: string;
  zone: string;
  weight: number;
  version: string;
  state: Heartbeat['state'] | 'dead';
  /** Seconds since its last heartbeat. */
  seen: number;
  /** Seconds that its clock is ahead of NATS's; null: that is not known. */
  clockAhead: number | null;
  /** How many partitions it holds, and how many of them may be asked. */
  holds: number;
  ready: number;
}

export interface PartitionStatus {
  partition: number;
  owners: string[];
  holders: { id: string; applied: number; saved: number; ready: boolean }[];
  /** Last message that was acknowledged, as far as this store knows. */
  acked: number;
}

export interface ClusterStatus {
  name: string;
  id: string;
  state: Heartbeat['state'] | 'joining' | 'cut off';
  /** Copies that are to be there, and are not there or not ready. */
  copiesMissing: number;
  /** Partitions without any holder that may be asked. */
  partitionsMissing: number;
  /** Of this store's copies, seconds; null: one was never caught up. */
  lag: number | null;
  members: MemberStatus[];
  partitions: PartitionStatus[];
}

export function statusOf(
  { name, id, partitions }: ClusterConfig,
  members: Members,
  copies: Copies,
  state: Heartbeat['state'],
): ClusterStatus {
  const now = performance.now();
  const alive = members.all.filter((member) => members.isAlive(member));
  const all = Array.from({ length: partitions }, (_, partition): PartitionStatus => {
    const holders = members.all.flatMap((member) => {
      const holding = member.heartbeat.holds[partition];
      if (!holding) return [];
      const [applied, saved, ready] = holding;
      return [{ id: member.id, applied, saved, ready: ready === 1 && alive.includes(member) }];
    });
    const acked = Math.max(0, ...members.all.map(({ heartbeat }) => heartbeat.acked[partition] ?? 0));
    return { partition, owners: copies.ownersOf(partition), holders, acked };
  });
  const isReady = ({ holders }: PartitionStatus, owner: string): boolean =>
    holders.some((holder) => holder.id === owner && holder.ready);
  const lag = Math.max(0, ...[...copies.all.values()].map(({ follower }) => follower.lagSeconds));
  return {
    name,
    id,
    state: !members.hasJoined ? 'joining' : members.isCutOff ? 'cut off' : state,
    copiesMissing: all.reduce((n, one) => n + one.owners.filter((owner) => !isReady(one, owner)).length, 0),
    partitionsMissing: all.filter(({ holders }) => !holders.some(({ ready }) => ready)).length,
    lag: Number.isFinite(lag) ? lag : null,
    members: members.all.map((member) => {
      const { heartbeat } = member;
      const holdings = Object.values(heartbeat.holds);
      const isDead = heartbeat.state !== 'stopped' && !alive.includes(member);
      return {
        id: member.id,
        url: heartbeat.url,
        zone: heartbeat.zone,
        weight: heartbeat.weight,
        version: heartbeat.version,
        state: isDead ? 'dead' : heartbeat.state,
        seen: (now - member.seenAt) / 1000,
        clockAhead: member.clockAhead ?? null,
        holds: holdings.length,
        ready: holdings.filter(([, , ready]) => ready === 1).length,
      };
    }),
    partitions: all,
  };
}

/** For /healthz, which is open to everybody: counts only. */
export function healthOf({ state, copiesMissing, partitionsMissing, lag }: ClusterStatus) {
  return {
    cluster: state,
    clusterCopiesMissing: copiesMissing,
    clusterPartitionsMissing: partitionsMissing,
    clusterLagSeconds: lag,
  };
}

/** For /metrics. */
export function gaugesOf(status: ClusterStatus, figures: ClusterFigures, copies: Copies, isCutOff: boolean) {
  const { copiesMissing, partitionsMissing, lag, members } = status;
  const held = [...copies.all.keys()];
  return {
    ...figures,
    members: members.filter(({ state }) => state !== 'dead' && state !== 'stopped').length,
    copiesMissing,
    partitionsMissing,
    copies: held.length,
    ready: held.filter((partition) => copies.isReady(partition)).length,
    lagSeconds: lag ?? undefined,
    isCutOff,
  };
}
