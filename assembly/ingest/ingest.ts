/** The way in for a batch of line protocol: what both forms of lines have in common. */
import { batchBegin, batchEnd } from './batch';
import { checkLines } from './checks';
import { readFieldLines } from './fields';
import { readLines } from './lines';
import { isChecksOnly } from './place';

/**
 * Stores the lines of [p, p + n), log included; the text is not kept. Lines of other partitions' hosts are noted as runs.
 * Precondition: STAGING_SLACK bytes after the text are readable; the first is overwritten during the call and restored.
 * @param severalFields lines may have several fields, and their tags become levels by the table (text/tags.ts).
 * @param clusterName for lines without a cluster tag; empty: such lines are refused.
 * @param unitsPerSecond of the timestamps; 0: by magnitude. @param nowSeconds for lines without a timestamp.
 * @param oldest, newest unix seconds, of timestamps that are not at fault. @param isTrusted whether others are refused.
 * @returns false when linear memory is exhausted before anything was stored.
 */
export function ingest(
  p: usize,
  n: i32,
  severalFields: bool,
  clusterName: usize,
  clusterLength: i32,
  unitsPerSecond: i32,
  nowSeconds: f64,
  oldest: f64,
  newest: f64,
  isTrusted: bool,
): bool {
  if (!batchBegin(p, clusterName, clusterLength, unitsPerSecond, nowSeconds, oldest, newest, isTrusted)) return false;
  // A terminator after the text, so that numbers need not look where it ends.
  const end = p + <usize>n;
  const after = load<u8>(end);
  store<u8>(end, 0x0a);
  if (severalFields) readFieldLines(p, end);
  else if (isChecksOnly()) checkLines(p, end);
  else readLines(p, end);
  store<u8>(end, after);
  batchEnd();
  return true;
}
