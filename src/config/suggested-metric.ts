/** What a metric's entry in the configuration might be, from how it arrives. */
import type { MetricConfig } from './config.js';

/** Parts of names of what has a mean over the hardware threads of a node and no sum: shares, clock rates, temperatures. */
const MEAN = /(^|[^a-z])(percent|pct|util|utilization|usage|ratio|load|temp|temperature|clock|freq|ipc|cpi)([^a-z]|$)/i;
/** Of what adds up. */
const SUM =
  /(^|[^a-z])(bw|bandwidth|flops|power|energy|bytes|packets|pkts|ops|iops|read|reads|write|writes|recv|sent|xmit|rcv|rx|tx|total|count|mem_used)([^a-z]|$)/i;
/** Collectors are not punctual: steps from here on, seconds, become multiples of ROUND. */
const COARSE = 10;
const ROUND = 5;

/**
 * @param step least seconds between two samples of a series, > 0.
 * @param isBelowNode it comes below the node as well, so that the node's value is made of several: how is guessed by the name.
 */
export function suggestedMetric(
  name: string,
  step: number,
  isBelowNode: boolean,
): Pick<MetricConfig, 'frequency' | 'aggregation'> {
  const frequency = step < COARSE ? step : Math.round(step / ROUND) * ROUND;
  if (!isBelowNode) return { frequency, aggregation: null };
  return { frequency, aggregation: SUM.test(name) && !MEAN.test(name) ? 'sum' : 'avg' };
}
