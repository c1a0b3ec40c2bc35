/** What was written to a server and what of it was acknowledged, to be compared exactly with what it gives back. */
import type { Agent } from 'node:http';
import { query, write } from '../support/client.js';

/** Seconds between samples of all metrics here. */
export const STEP = 10;
/**
 * Values are whole numbers of up to 53 bits divided by this, so all bits of a double are used and yet a query with
 * `scale-by` shows them exactly, although answers are rounded to three decimals.
 */
const UNIT = 2 ** 20;

export interface Sample {
  host: string;
  metric: string;
  /** Unix seconds. */
  time: number;
  /** The value times UNIT. */
  units: number;
}

interface Cell {
  acknowledged: number | undefined;
  /** Written since without an answer, or with one that promises nothing. */
  perhaps: number[];
}

export interface Differences {
  lost: string[];
  changed: string[];
  /** Samples that were compared. */
  compared: number;
}

export class Ledger {
  /** `host metric` → time → cell. */
  readonly #series = new Map<string, Map<number, Cell>>();

  get series(): string[] {
    return [...this.#series.keys()];
  }

  #cell({ host, metric, time }: Sample): Cell {
    const name = `${host} ${metric}`;
    const cells = this.#series.get(name) ?? new Map<number, Cell>();
    if (!cells.size) this.#series.set(name, cells);
    const cell = cells.get(time) ?? { acknowledged: undefined, perhaps: [] };
    if (!cell.perhaps.length) cells.set(time, cell);
    return cell;
  }

  /** Writes samples; no other writer may write to the same series meanwhile. @returns the status, 0: no answer came. */
  async write(port: number, samples: Sample[], agent?: Agent): Promise<number> {
    for (const sample of samples) this.#cell(sample).perhaps.push(sample.units);
    let status = 0;
    try {
      status = (await write(port, samples.map(asLine).join(''), '/api/write', agent)).status;
    } catch {
      return 0;
    }
    if (status === 200) this.acknowledge(samples);
    return status;
  }

  acknowledge(samples: Sample[]): void {
    for (const sample of samples) {
      const cell = this.#cell(sample);
      cell.acknowledged = sample.units;
      cell.perhaps = [];
    }
  }

  /**
   * Compares with all that the server answers.
   * @param settle the server has just been started: what it has is what it will have.
   * @param since samples before that time, unix seconds, may be missing.
   */
  async compare(port: number, { settle = false, since = 0 } = {}): Promise<Differences> {
    const found: Differences = { lost: [], changed: [], compared: 0 };
    const names = this.series;
    const queries = names.map((name) => {
      const [host, metric] = name.split(' ');
      return { host, metric, 'scale-by': UNIT };
    });
    const { results } = await query(port, {
      cluster: 'c',
      from: 1,
      to: 2 ** 32,
      queries,
      'with-padding': false,
      'with-stats': false,
    });
    for (const [i, name] of names.entries()) {
      const cells = this.#series.get(name) ?? new Map<number, Cell>();
      const answer = results[i]?.[0];
      const seen = new Map<number, number>();
      for (const [k, value] of (answer?.data ?? []).entries()) {
        if (value !== null) seen.set((answer?.from ?? 0) + k * STEP, value);
      }
      for (const [time, value] of seen)
        if (!cells.has(time)) found.changed.push(`${name} ${time}: ${value} from nowhere`);
      for (const [time, cell] of cells) {
        found.compared++;
        const value = seen.get(time);
        const { acknowledged, perhaps } = cell;
        if (value === undefined && acknowledged !== undefined && time >= since) found.lost.push(`${name} ${time}`);
        if (value !== undefined && value !== acknowledged && !perhaps.includes(value)) {
          found.changed.push(`${name} ${time}: ${value} instead of ${acknowledged}`);
        }
        if (!settle) continue;
        if (value === undefined) cells.delete(time);
        else {
          cell.acknowledged = value;
          cell.perhaps = [];
        }
      }
    }
    return found;
  }
}

function asLine({ host, metric, time, units }: Sample): string {
  return `${metric},cluster=c,hostname=${host} value=${units / UNIT} ${time}\n`;
}

/** A writer's samples: time goes on, with gaps, and now and then it comes back to what it wrote before. */
export class Source {
  #time: number;

  /** @param from unix seconds. @param random in [0, 1). */
  constructor(
    readonly hosts: string[],
    readonly metrics: string[],
    from: number,
    readonly random: () => number,
  ) {
    this.#time = from - (from % STEP);
    this.#first = this.#time;
  }
  readonly #first: number;

  /** The next request's: `steps` points in time of all series. */
  next(steps: number): Sample[] {
    const samples: Sample[] = [];
    const { random } = this;
    const isLate = random() < 0.25 && this.#time > this.#first;
    // Series begin with their first request, so that all of them know the same bins.
    let time = isLate ? this.#first + STEP * Math.floor((random() * (this.#time - this.#first)) / STEP) : this.#time;
    for (let i = 0; i < steps; i++, time += STEP) {
      if (!isLate && i && random() < 0.05) time += STEP * Math.floor(1 + random() * 200);
      for (const host of this.hosts) {
        for (const metric of this.metrics) samples.push({ host, metric, time, units: Math.floor(random() * 2 ** 53) });
      }
    }
    if (!isLate) this.#time = time;
    return samples;
  }
}
