/**
 * Timestamps against the server's clock: those that are too new or too old are refused, and the hosts that send them are
 * noted, so that somebody hears of it.
 *
 * A host that was noted, a batch:
 *   0        4       8              16               20            24            280        536
 *   ┌────────┬───────┬──────────────┬────────────────┬─────────────┬─────────────┬──────────┐
 *   │ reason │ lines │ seconds, i64 │ cluster length │ host length │ cluster 256 │ host 256 │
 *   └────────┴───────┴──────────────┴────────────────┴─────────────┴─────────────┴──────────┘
 *   reason: LineError     lines: how many so far     seconds: of the first of them, unix time
 */
import { LineError, MAX_TIME_FAULTS } from '../../src/wasm/tables/codes';
import { TimeFaultField } from '../../src/wasm/tables/layouts';
import { bytesEqual } from '../memory/bytes';

@unmanaged
class Fault {
  reason: i32;
  lines: u32;
  seconds: i64;
  clusterLength: i32;
  hostLength: i32;

  get cluster(): usize {
    return changetype<usize>(this) + TimeFaultField.Cluster;
  }
  get host(): usize {
    return changetype<usize>(this) + TimeFaultField.Host;
  }
}

/** Bytes for a name. */
const ROOM: usize = 256;

if (
  offsetof<Fault>('reason') != TimeFaultField.Reason ||
  offsetof<Fault>('lines') != TimeFaultField.Lines ||
  offsetof<Fault>('seconds') != TimeFaultField.Seconds ||
  offsetof<Fault>('clusterLength') != TimeFaultField.ClusterLength ||
  offsetof<Fault>('hostLength') != TimeFaultField.HostLength ||
  offsetof<Fault>() != TimeFaultField.Cluster ||
  offsetof<Fault>() + ROOM != TimeFaultField.Host ||
  offsetof<Fault>() + 2 * ROOM != TimeFaultField.Size
) {
  ERROR('layouts.ts has another layout of hosts at fault');
}

@unmanaged
class Clock {
  /** Unix seconds: what is before `oldest` or after `newest` is at fault. */
  oldest: i64;
  newest: i64;
  /** Hosts noted since `clockBegin`. */
  count: i32;
  /** Place of the host that was noted last, counting from 1; 0: all places were taken. */
  lastFault: i32;
  /** Whether lines at fault are refused. */
  isTrusted: bool;

  /** What is wrong with a time, unix seconds: LineError.None, TimestampTooNew or TimestampTooOld. */
  @inline
  error(seconds: i64): i32 {
    if (seconds > this.newest) return LineError.TimestampTooNew;
    return seconds < this.oldest ? LineError.TimestampTooOld : LineError.None;
  }
}

export const clock = changetype<Clock>(memory.data(offsetof<Clock>(), 8));
/** The hosts that were noted, drawn above. */
export const timeFaults: usize = memory.data(TimeFaultField.Size * MAX_TIME_FAULTS, 8);

/** Hosts noted by the last `ingest`. */
export function timeFaultCount(): i32 {
  return clock.count;
}

/** Begins a batch. @param oldest, newest unix seconds. @param isTrusted false: hosts are noted, and nothing is refused. */
export function clockBegin(oldest: f64, newest: f64, isTrusted: bool): void {
  clock.oldest = <i64>oldest;
  clock.newest = <i64>newest;
  clock.isTrusted = isTrusted;
  clock.count = 0;
}

function faultAt(i: i32): Fault {
  return changetype<Fault>(timeFaults + <usize>(i * TimeFaultField.Size));
}

/** Notes the host of a line whose time is at fault, in `clock.lastFault`; at most MAX_TIME_FAULTS hosts a batch. */
export function noteFault(
  reason: i32,
  seconds: i64,
  cluster: usize,
  clusterLength: i32,
  host: usize,
  hostLength: i32,
): void {
  // From the end: it is mostly the host of the line before.
  for (let i = clock.count - 1; i >= 0; i--) {
    const fault = faultAt(i);
    if (fault.reason != reason || fault.hostLength != hostLength || fault.clusterLength != clusterLength) continue;
    if (!bytesEqual(fault.host, host, hostLength) || !bytesEqual(fault.cluster, cluster, clusterLength)) continue;
    fault.lines++;
    clock.lastFault = i + 1;
    return;
  }
  clock.lastFault = 0;
  if (clock.count == MAX_TIME_FAULTS) return;
  const fault = faultAt(clock.count);
  fault.reason = reason;
  fault.lines = 1;
  fault.seconds = seconds;
  fault.clusterLength = clusterLength;
  fault.hostLength = hostLength;
  memory.copy(fault.cluster, cluster, clusterLength);
  memory.copy(fault.host, host, hostLength);
  clock.lastFault = ++clock.count;
}
