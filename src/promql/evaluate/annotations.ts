/** What a query says beside its result: warnings and infos in Prometheus's words, each once. */

import { formatPlain } from '../parse/literals.js';
import { lineAndColumn } from '../parse/position.js';
import { quote } from '../parse/quote.js';

/** Of each kind so many are told. */
const MOST = 10;

/** A number as Go's `%g` prints it: an exponent below 1e-4 and from 1e6 on. @param digits significant ones; all unless given. */
export function formatShort(value: number, digits?: number): string {
  if (!Number.isFinite(value) || value === 0) return formatPlain(value);
  const [mantissa = '', exponentText = '0'] = value
    .toExponential(digits === undefined ? undefined : digits - 1)
    .split('e');
  const exponent = Number(exponentText);
  const shown = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const kept = shown.replace(/\D/g, '').length;
  const limit = digits === undefined ? 6 : kept >= exponent + 1 ? Math.min(digits, kept) : digits;
  if (exponent >= -4 && exponent < limit) return formatPlain(Number(`${shown}e${exponent}`));
  return `${shown}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Where counts of buckets fell although they must not, over all steps of a query. */
interface Monotonicity {
  readonly position: number;
  first: number;
  last: number;
  lowest: number;
  highest: number;
  difference: number;
  samples: number;
}

const FORCED =
  'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)';

function instant(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

export class Annotations {
  private readonly warnings = new Map<string, number>();
  private readonly infos = new Map<string, number>();
  private monotonicity: Monotonicity | undefined;

  constructor(private readonly query: string) {}

  private warn(text: string, position: number): void {
    const message = `PromQL warning: ${text}`;
    if (!this.warnings.has(message)) this.warnings.set(message, position);
  }

  private inform(text: string, position: number): void {
    const message = `PromQL info: ${text}`;
    if (!this.infos.has(message)) this.infos.set(message, position);
  }

  invalidQuantile(quantile: number, position: number): void {
    this.warn(`quantile value should be between 0 and 1, got ${formatShort(quantile)}`, position);
  }

  invalidRatio(ratio: number, limit: number, position: number): void {
    const text = `ratio value should be between -1 and 1, got ${formatShort(ratio)}, capping to ${formatShort(limit)}`;
    this.warn(text, position);
  }

  badBucket(le: string, position: number): void {
    this.warn(`bucket label "le" is missing or has a malformed value of ${quote(le)}`, position);
  }

  ineffectiveSort(position: number): void {
    this.warn('sort is ineffective for range queries since results are always ordered by labels', position);
  }

  /** Of rate and increase: tells when the metric's name is not that of a counter. */
  noteCounter(metric: string, position: number): void {
    if (metric === '' || /_(?:total|sum|count|bucket)$/.test(metric)) return;
    const rule = 'metric might not be a counter, name does not end in _total/_sum/_count/_bucket';
    this.inform(`${rule}: ${quote(metric)}`, position);
  }

  incompatibleTypes(operator: string, position: number): void {
    const text = `incompatible sample types encountered for binary operator ${quote(operator)}`;
    this.inform(`${text}: float ${operator} float`, position);
  }

  /** Counts of buckets between `lowest` and `highest` were raised by `difference` at most, in one sample. */
  forcedMonotonicity(time: number, lowest: number, highest: number, difference: number, position: number): void {
    const known = this.monotonicity;
    if (known === undefined) {
      this.monotonicity = { position, first: time, last: time, lowest, highest, difference, samples: 1 };
      return;
    }
    known.first = Math.min(known.first, time);
    known.last = Math.max(known.last, time);
    known.lowest = Math.min(known.lowest, lowest);
    known.highest = Math.max(known.highest, highest);
    known.difference = Math.max(known.difference, difference);
    known.samples++;
  }

  private placed(message: string, position: number): string {
    return `${message} (${lineAndColumn(this.query, position)})`;
  }

  private texts(messages: ReadonlyMap<string, number>, kind: string, further: readonly string[] = []): string[] {
    const all = [...further, ...[...messages].map(([message, position]) => this.placed(message, position))];
    if (all.length <= MOST) return all;
    return [...all.slice(0, MOST), `${all.length - MOST} more ${kind} annotations omitted`];
  }

  warningTexts(): string[] {
    return this.texts(this.warnings, 'warning');
  }

  infoTexts(): string[] {
    const forced = this.monotonicity;
    if (forced === undefined) return this.texts(this.infos, 'info');
    const { lowest, highest, difference, samples, first, last, position } = forced;
    const buckets = `from buckets ${formatShort(lowest)} to ${formatShort(highest)}`;
    const extent = `with a max diff of ${formatShort(difference, 2)}, over ${samples} samples`;
    const message = `${FORCED}, ${buckets}, ${extent} from ${instant(first)} to ${instant(last)}`;
    return this.texts(this.infos, 'info', [this.placed(message, position)]);
  }
}
