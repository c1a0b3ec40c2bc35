/**
 * Which hosts there are, with their oldest and newest samples, in steps over the series by number.
 *
 * A collector sends a host's lines one after the other, so neighbours by number mostly belong to one host. A record is of such
 * a run; who reads them adds up those of the same host. So nothing is kept between two steps, and series may come and go.
 *
 *   0                  4        8             16            24          28         30
 *   ┌──────────────────┬────────┬─────────────┬─────────────┬───────────┬──────────┬──────┐
 *   │ cluster, address │ series │ oldest, f64 │ newest, f64 │ frequency │ name len │ name │
 *   └──────────────────┴────────┴─────────────┴─────────────┴───────────┴──────────┴──────┘
 *
 * Oldest and newest are times of samples, unix seconds; the frequency is that of the series with the newest one.
 */
import { out } from '../memory/out';
import { Node, Series } from '../series/records';
import { allSeries, seriesByNumber } from '../series/series';
import { hostOf } from '../series/tree';

const RECORD: u32 = 30;

@unmanaged
class Run {
  oldest: i64;
  newest: i64;
  host: Node | null;
  series: u32;
  frequency: i32;
}

const run = changetype<Run>(memory.data(offsetof<Run>(), 8));

/**
 * Writes the hosts of series [from, from + n) by number to the output.
 * @returns where to go on; -1 at the end, -2 when memory is exhausted.
 */
export function hostsStep(from: u32, n: u32): f64 {
  const end = min(from + n, allSeries.end);
  run.host = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s || s.isEmpty) continue;
    const host = hostOf(s.node);
    if (host != run.host) {
      if (!writeRun()) return -2;
      begin(host);
    }
    add(s);
  }
  if (!writeRun()) return -2;
  return end < allSeries.end ? <f64>end : -1;
}

function begin(host: Node): void {
  run.host = host;
  run.series = 0;
  run.oldest = i64.MAX_VALUE;
  run.newest = i64.MIN_VALUE;
}

function add(s: Series): void {
  const f = s.frequency;
  // A bin begins half a frequency before its sample.
  const half = <i64>(f >> 1);
  const first = s.blockCount ? min(s.block(0).start, s.openLength ? s.openStart : i32.MAX_VALUE) : s.openStart;
  const newest = s.edge - <i64>f + half;
  run.series++;
  run.oldest = min(run.oldest, s.timeOf(first) + half);
  if (newest <= run.newest) return;
  run.newest = newest;
  run.frequency = f;
}

function writeRun(): bool {
  const host = run.host;
  if (!host) return true;
  if (!out.ensure(RECORD + host.nameLength)) return false;
  store<u32>(out.end, <u32>changetype<usize>(host.parent));
  store<u32>(out.end, run.series, 4);
  store<f64>(out.end, <f64>run.oldest, 8);
  store<f64>(out.end, <f64>run.newest, 16);
  store<i32>(out.end, run.frequency, 24);
  store<u16>(out.end, <u16>host.nameLength, 28);
  out.end += RECORD;
  out.put(host.name, host.nameLength);
  return true;
}
