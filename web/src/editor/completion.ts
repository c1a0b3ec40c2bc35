/** Names for completion, from the server. */
import type { PrometheusClient } from '@prometheus-io/codemirror-promql';
import type { Client } from '../api/client.js';
import { askLabelNames, askLabelValues } from '../api/promql.js';

type Metadata = Awaited<ReturnType<PrometheusClient['metricMetadata']>>;

/** Answers are kept so long: names seldom change while one types. */
const KEPT_MS = 60_000;

/**
 * Asks for labels and their values alone, never for series: a metric may have a hundred thousand. What cannot be had is not
 * offered.
 */
export class ServerNames implements PrometheusClient {
  readonly #client: Client;
  readonly #kept = new Map<string, { until: number; names: Promise<string[]> }>();

  constructor(client: Client) {
    this.#client = client;
  }

  labelNames(metric = ''): Promise<string[]> {
    return this.#keep(`names ${metric}`, async () => {
      const names = await askLabelNames(this.#client, selectorOf(metric));
      return names.filter((name) => name !== '__name__');
    });
  }

  labelValues(label: string, metric = ''): Promise<string[]> {
    return this.#keep(`values ${label} ${metric}`, () => askLabelValues(this.#client, label, selectorOf(metric)));
  }

  metricNames(): Promise<string[]> {
    return this.labelValues('__name__');
  }

  async metricMetadata(): Promise<Metadata> {
    try {
      return (await this.#client.json<{ data: Metadata }>('api/v1/metadata')).data;
    } catch {
      return {};
    }
  }

  async series(): Promise<never[]> {
    return [];
  }

  async flags(): Promise<Record<string, string>> {
    return {};
  }

  #keep(key: string, ask: () => Promise<string[]>): Promise<string[]> {
    const known = this.#kept.get(key);
    if (known !== undefined && Date.now() < known.until) return known.names;
    const names = ask().catch(() => {
      this.#kept.delete(key);
      return [];
    });
    this.#kept.set(key, { until: Date.now() + KEPT_MS, names });
    return names;
  }
}

function selectorOf(metric: string): string {
  return metric === '' ? '' : `{__name__=${JSON.stringify(metric)}}`;
}
