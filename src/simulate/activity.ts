/** What a node's hardware is doing at a time, by the job that runs on it and by what is wrong with the node. */
import type { Job } from './jobs.js';

/** Shares of what the hardware can do, 0..1, but for the temperature. */
export interface Activity {
  cpu: number;
  flops: number;
  bandwidth: number;
  network: number;
  io: number;
  memory: number;
  gpu: number;
  /** Clock frequency beside the nominal one. */
  clock: number;
  /** Degrees above what the load makes. */
  heat: number;
}

const IDLE: Activity = {
  cpu: 0.004,
  flops: 0,
  bandwidth: 0.002,
  network: 0.0005,
  io: 0,
  memory: 0.03,
  gpu: 0,
  clock: 0.55,
  heat: 0,
};
/** Jobs begin by reading: seconds until they compute. */
const START_SECONDS = 120;
/** Then they write their state down now and then. */
const CHECKPOINT_SECONDS = 1800;
const WRITING_SECONDS = 120;
const HOUR = 3600;

/** @param job undefined: nothing runs. @param node position in the cluster. @param now unix seconds. @param hot its cooling has failed. */
export function activityOf(job: Job | undefined, node: number, now: number, hot: boolean): Activity {
  const activity = job === undefined ? { ...IDLE } : working(job, node, now);
  if (hot) {
    // Whatever runs, it gets as hot as it may be; then it slows down and gets less done.
    activity.heat = 60 - 28 * activity.cpu;
    activity.clock *= 0.6;
    activity.flops *= 0.6;
    activity.bandwidth *= 0.85;
  }
  return activity;
}

function working({ profile, start, nodes }: Job, node: number, now: number): Activity {
  const age = now - start;
  const sinceCheckpoint = age % CHECKPOINT_SECONDS;
  const reading = age < START_SECONDS;
  const writing = !reading && sinceCheckpoint < WRITING_SECONDS && age > CHECKPOINT_SECONDS;
  const pace = reading || writing ? 0.35 : 1;
  const place = nodes.length > 1 ? nodes.indexOf(node) / (nodes.length - 1) : 0;
  const share = pace * (1 - (profile.imbalance ?? 0) * place);
  return {
    cpu: profile.cpu * Math.max(share, 0.05),
    flops: profile.flops * share,
    bandwidth: profile.bandwidth * share,
    network: profile.network * share,
    io: reading || writing ? profile.io : profile.io * 0.03,
    memory: Math.min(
      0.97,
      profile.memory * Math.min(1, 0.2 + age / START_SECONDS) + ((profile.leak ?? 0) * age) / HOUR,
    ),
    gpu: profile.gpu * pace,
    clock: 1 - 0.12 * profile.flops,
    heat: 0,
  };
}
