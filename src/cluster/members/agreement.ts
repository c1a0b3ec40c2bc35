/**
 * Metrics that all stores of a cluster know. A copy skips lines of metrics that its configuration does not name, so a line may only
 * be published when every store takes it: a new metric is added everywhere, and flows from then on.
 */
import type { MetricConfig } from '../../config/config.js';

/** How each metric is stored, by name, for comparison. */
export type MetricForms = Record<string, string>;

export function formsOf(metrics: ReadonlyMap<string, MetricConfig>): MetricForms {
  return Object.fromEntries(
    [...metrics].map(([name, { frequency, aggregation, precision }]) => [
      name,
      `${frequency} ${aggregation} ${precision}`,
    ]),
  );
}

/** A store, and what it says of its metrics. */
export interface KnownStore {
  id: string;
  heartbeat: { metrics: MetricForms };
}

export interface Agreement {
  /** Names of those that all have. */
  names: string[];
  /** Own ones that some store lacks, or has in another form. */
  missing: { metric: string; store: string; isOther: boolean }[];
}

/** @param others stores that live. */
export function agreementOf(own: MetricForms, others: readonly KnownStore[]): Agreement {
  const names: string[] = [];
  const missing: Agreement['missing'] = [];
  for (const [metric, form] of Object.entries(own)) {
    const lacking = others.find(({ heartbeat }) => heartbeat.metrics[metric] !== form);
    if (lacking) missing.push({ metric, store: lacking.id, isOther: lacking.heartbeat.metrics[metric] !== undefined });
    else names.push(metric);
  }
  return { names, missing };
}
