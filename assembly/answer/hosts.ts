/**
 * Which hosts there are, with their oldest and newest samples, in steps over the series by number.
 *
 * A collector sends a host's lines one after the other, so neighbours by number mostly belong to one host. Such a span of
 * series gives a record; who reads the records joins those of the same host. So nothing is kept between two steps, and series may come and go.
 *
 *   0                  4        8             16            24          28         30
 *   ┌──────────────────┬────────┬─────────────┬─────────────┬───────────┬──────────┬──────┐
 *   │ cluster, address │ series │ oldest, f64 │ newest, f64 │ frequency │ name len │ name │
 *   └──────────────────┴────────┴─────────────┴─────────────┴───────────┴──────────┴──────┘
 *
 * Oldest and newest are times of samples, unix seconds; the frequency is that of the series with the newest one.
 */
import { SeriesStep } from '../../src/wasm/tables/codes';
import { HostField } from '../../src/wasm/tables/layouts';
import { out } from '../memory/out';
import { Node, Series } from '../series/records';
import { allSeries, nextStep, seriesByNumber } from '../series/series';
import { hostOf } from '../series/tree';

@unmanaged
class Record {
  /** Address of the cluster's node. */
  cluster: u32;
  series: u32;
  oldest: f64;
  newest: f64;
  frequency: i32;
  nameLength: u16;
}

if (
  offsetof<Record>('cluster') != HostField.Cluster ||
  offsetof<Record>('series') != HostField.Series ||
  offsetof<Record>('oldest') != HostField.Oldest ||
  offsetof<Record>('newest') != HostField.Newest ||
  offsetof<Record>('frequency') != HostField.Frequency ||
  offsetof<Record>('nameLength') != HostField.NameLength ||
  offsetof<Record>() != HostField.Name
) {
  ERROR('layouts.ts has another layout of listed hosts');
}

@unmanaged
class HostSpan {
  oldest: i64;
  newest: i64;
  host: Node | null;
  series: u32;
  frequency: i32;
}

const span = changetype<HostSpan>(memory.data(offsetof<HostSpan>(), 8));

/**
 * Writes the hosts of series [from, from + n) by number to the output.
 * @returns where to go on, or a `SeriesStep`.
 */
export function hostsStep(from: u32, n: u32): f64 {
  const end = min(from + n, allSeries.end);
  span.host = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s || s.isEmpty) continue;
    const host = hostOf(s.node);
    if (host != span.host) {
      if (!writeSpan()) return <f64>SeriesStep.OutOfMemory;
      begin(host);
    }
    add(s);
  }
  if (!writeSpan()) return <f64>SeriesStep.OutOfMemory;
  return nextStep(end);
}

function begin(host: Node): void {
  span.host = host;
  span.series = 0;
  span.oldest = i64.MAX_VALUE;
  span.newest = i64.MIN_VALUE;
}

function add(s: Series): void {
  const f = s.frequency;
  // A bin begins half a frequency before its sample.
  const half = <i64>(f >> 1);
  const first = s.blockCount ? min(s.block(0).start, s.openLength ? s.openStart : i32.MAX_VALUE) : s.openStart;
  const newest = s.edge - <i64>f + half;
  span.series++;
  span.oldest = min(span.oldest, s.timeOf(first) + half);
  if (newest <= span.newest) return;
  span.newest = newest;
  span.frequency = f;
}

function writeSpan(): bool {
  const host = span.host;
  if (!host) return true;
  if (!out.ensure(HostField.Name + host.nameLength)) return false;
  const record = changetype<Record>(out.end);
  record.cluster = <u32>changetype<usize>(host.parent);
  record.series = span.series;
  record.oldest = <f64>span.oldest;
  record.newest = <f64>span.newest;
  record.frequency = span.frequency;
  record.nameLength = <u16>host.nameLength;
  out.end += HostField.Name;
  out.put(host.name, host.nameLength);
  return true;
}
