/** Which nodes deliver: late and dead ones by the time of their newest sample. */

/** As GET /api/nodes answers. */
export interface NodeSpan {
  node: string;
  series: number;
  oldest: number;
  newest: number;
  frequency: number;
}

export type Liveness = 'live' | 'late' | 'dead';

/** A node whose newest sample ended so many frequencies ago is late, or dead; the latter as /api/healthcheck judges. */
const LATE_AFTER = 2;
const DEAD_AFTER = 5;

/** @param now unix seconds by the server's clock. */
export function livenessOf({ newest, frequency }: NodeSpan, now: number): Liveness {
  const missed = (now - newest) / frequency - 1;
  return missed > DEAD_AFTER ? 'dead' : missed > LATE_AFTER ? 'late' : 'live';
}

export interface Roll {
  all: number;
  live: number;
  /** Longest silent first. */
  late: NodeSpan[];
  dead: NodeSpan[];
}

export function rollOf(nodes: readonly NodeSpan[], now: number): Roll {
  const bySilence = nodes.toSorted((a, b) => a.newest - b.newest);
  const late = bySilence.filter((node) => livenessOf(node, now) === 'late');
  const dead = bySilence.filter((node) => livenessOf(node, now) === 'dead');
  return { all: nodes.length, live: nodes.length - late.length - dead.length, late, dead };
}
