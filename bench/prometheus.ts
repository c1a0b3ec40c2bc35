/** Reads the event-loop lag out of a Prometheus text page. */

/** Milliseconds below which 99 % of the main thread's event-loop delays lay, or undefined where the page does not tell. */
export function eventLoopLagP99(page: string, name = 'ccms_event_loop_lag_seconds'): number | undefined {
  const samples = page
    .split('\n')
    .map((line) => /^(\w+)(?:\{(.*)\})? ([^ ]+)/.exec(line))
    .filter((match) => match !== null)
    .map(([, metric = '', labels = '', value = '']) => ({ metric, labels, value: Number(value) }));
  const quantile = samples.find(({ metric, labels }) => metric === name && labels.includes('quantile="0.99"'));
  if (quantile !== undefined) return quantile.value * 1000;

  const buckets = samples
    .filter(({ metric }) => metric === `${name}_bucket`)
    .map(({ labels, value }) => ({
      limit: Number(/le="([^"]*)"/.exec(labels)?.[1]?.replace('+Inf', 'Infinity')),
      value,
    }));
  const total = buckets.at(-1)?.value ?? 0;
  const bucket = buckets.find(({ value }) => total > 0 && value >= 0.99 * total);
  if (bucket !== undefined) return bucket.limit * 1000;

  const gauge = samples.find(({ metric, labels }) => metric === name && labels === '');
  return gauge === undefined ? undefined : gauge.value * 1000;
}
