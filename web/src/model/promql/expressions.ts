/** PromQL for what the views ask about a cluster. */

/** `"` and `\` as a string of PromQL has them. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A metric of a cluster; names that are none of PromQL's are quoted. @param matchers further ones, such as `type="node"`. */
export function selector(metric: string, cluster: string, matchers: readonly string[] = []): string {
  const all = [`cluster=${quoted(cluster)}`, ...matchers];
  if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric)) return `${metric}{${all.join(',')}}`;
  return `{${[quoted(metric), ...all].join(',')}}`;
}

/**
 * The metric of each node: its own, or rolled up from its levels as the configuration says.
 * @param levels at which it is measured; empty name: the node itself.
 */
export function ofNodes(
  metric: string,
  cluster: string,
  levels: readonly string[],
  aggregation: 'sum' | 'avg' | null,
): string {
  if (levels.includes('')) return selector(metric, cluster, ['type="node"']);
  return `${aggregation ?? 'avg'} by (hostname) (${selector(metric, cluster)})`;
}

/** Quantiles over nodes, each with the label `q`, in one query: its selector is read once. */
export function quantiles(ofEach: string, shares: readonly number[]): string {
  return shares.map((share) => `label_replace(quantile(${share}, ${ofEach}), "q", "${share}", "", "")`).join(' or ');
}
