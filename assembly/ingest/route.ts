/**
 * Cuts a body by partition, without storing anything: the main thread asks when a body's ends differ. Batches run by host,
 * so a line is first compared with the cluster-and-host text of the line before.
 *
 * The result are runs of consecutive lines (runs.ts).
 */
import { bytesEqual } from '../memory/bytes';
import { LineError } from '../../src/wasm/tables/codes';
import { cluster, host, parsePrefix } from '../text/line';
import { lineEnd, skipBlanks } from '../text/line-end';
import { partitionOf } from '../series/partition';
import { runs } from './runs';

const REMEMBER: i32 = 600;

/** The cluster-and-host text: the tags of the last parsed line from its first comma up to behind its host tag. */
@unmanaged
class HostText {
  /** 0: none is remembered. */
  length: i32;
  private reserved: u32;

  get text(): usize {
    return changetype<usize>(this) + offsetof<HostText>();
  }
}

const remembered = changetype<HostText>(memory.data(8 + REMEMBER + 32, 16));

/**
 * Finds the runs of the text. Lines that can't be read go to the partition of the line before (its core refuses them).
 * Precondition: STAGING_SLACK bytes after the text are readable.
 * @returns number of runs; -1 when memory is exhausted.
 */
export function route(p: usize, n: i32, clusterName: usize, clusterLength: i32, partitions: i32): i32 {
  const start = p;
  const end = p + <usize>n;
  runs.clear();
  remembered.length = 0;
  let current: u32 = 0;
  let runStart = p;
  let runLine = 0;
  let line = 0;
  let first = true;
  while (p < end) {
    const stop = lineEnd(p, end);
    let partition = current;
    if (!sameHost(p, stop)) {
      const found = partitionOfLine(p, stop, clusterName, clusterLength, partitions);
      if (found >= 0) partition = <u32>found;
      if (first && found >= 0) {
        // Comments and blank lines in front belong to the first line's partition.
        current = partition;
        first = false;
      }
    }
    if (partition != current) {
      if (!runs.add(current, <u32>(runStart - start), <u32>(p - runStart), runLine, line - runLine)) return -1;
      current = partition;
      runStart = p;
      runLine = line;
    }
    line++;
    p = stop + 1;
  }
  if (runStart < end && !runs.add(current, <u32>(runStart - start), <u32>(end - runStart), runLine, line - runLine)) return -1;
  return runs.count;
}

/** Whether the line has the remembered tags right behind its measurement. */
function sameHost(p: usize, stop: usize): bool {
  const n = remembered.length;
  if (!n) return false;
  const comma = i8x16.splat(0x2c);
  while (p < stop) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(p), comma));
    if (hits) {
      p += ctz(hits);
      break;
    }
    p += 16;
  }
  if (p + <usize>n >= stop || !bytesEqual(p, remembered.text, n)) return false;
  // The host's value must end here, and nothing behind may name another one.
  const c = load<u8>(p + n);
  if (c == 0x20) return true;
  return c == 0x2c && !namesAgain(p + n, stop);
}

/** Whether the tags from p on (at a comma) hold a cluster or host tag once more; the last one counts. */
function namesAgain(p: usize, stop: usize): bool {
  const comma = i8x16.splat(0x2c);
  const blank = i8x16.splat(0x20);
  const escape = i8x16.splat(0x5c);
  while (p < stop) {
    const v = v128.load(p);
    let hits = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, comma), i8x16.eq(v, blank)), i8x16.eq(v, escape)));
    while (hits) {
      const at = p + ctz(hits);
      if (at >= stop) return false;
      const c = load<u8>(at);
      if (c == 0x20) return false;
      if (c == 0x5c) return true; // Escapes: let the parser decide.
      const word = load<u32>(at + 1);
      if (word == 0x74736f68 || word == 0x73756c63) return true; // "host", "clus"
      hits &= hits - 1;
    }
    p += 16;
  }
  return false;
}

/** Parses the line's tags. -1: blank, a comment, or unreadable. */
function partitionOfLine(p: usize, stop: usize, clusterName: usize, clusterLength: i32, partitions: i32): i32 {
  remembered.length = 0;
  p = skipBlanks(p, stop);
  if (p >= stop || load<u8>(p) == 0x23) return -1;
  if (parsePrefix(p, stop) != LineError.None || !host.length) return -1;
  const own = cluster.length > 0;
  remember(p, stop);
  return <i32>partitionOf(
    own ? cluster.text : clusterName,
    own ? cluster.length : clusterLength,
    host.text,
    host.length,
    <u32>partitions,
  );
}

/** Keeps the text from the first comma to the end of the later of the cluster and host tags, when it is plain. */
function remember(p: usize, stop: usize): void {
  while (p < stop && load<u8>(p) != 0x2c) {
    if (load<u8>(p) == 0x5c) return;
    p++;
  }
  let end: usize = 0;
  let q = p;
  while (q < stop && load<u8>(q) != 0x20) {
    const c = load<u8>(q);
    if (c == 0x5c) return;
    if (c == 0x2c) {
      const word = load<u32>(q + 1);
      const ours = word == 0x74736f68 || word == 0x73756c63;
      let e = q + 1;
      while (e < stop && load<u8>(e) != 0x2c && load<u8>(e) != 0x20) e++;
      if (ours) end = e;
      q = e;
    } else q++;
  }
  const n = <i32>(end - p);
  if (!end || n > REMEMBER) return;
  memory.copy(remembered.text, p, n);
  remembered.length = n;
}
