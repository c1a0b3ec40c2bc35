import { Counter, Gauge, Registry } from 'prom-client';

type Labels = Record<string, string>;

/**
 * Metrics whose values are kept elsewhere and read at the scrape: made anew each time, so that a counter can be set,
 * and a figure that is unknown (the store is loading, no NATS) is absent instead of a false 0.
 */
export class Snapshot {
  readonly #registry = new Registry();

  /** @param name ends in `_total`. @param help ends with a full stop, like every help text here. */
  counter(name: string, help: string, values: number | Iterable<[Labels, number]>): void {
    const sets = labelled(values);
    const metric = new Counter({ name, help, labelNames: labelNames(sets), registers: [this.#registry] });
    for (const [labels, value] of sets) metric.inc(labels, value);
  }

  gauge(name: string, help: string, values: number | Iterable<[Labels, number]>): void {
    const sets = labelled(values);
    const metric = new Gauge({ name, help, labelNames: labelNames(sets), registers: [this.#registry] });
    for (const [labels, value] of sets) metric.set(labels, value);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function labelled(values: number | Iterable<[Labels, number]>): [Labels, number][] {
  return typeof values === 'number' ? [[{}, values]] : [...values];
}

function labelNames(sets: [Labels, number][]): string[] {
  return Object.keys(sets[0]?.[0] ?? {});
}
