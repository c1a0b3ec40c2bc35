/** Stores a body of any size in a core. */
import type { Core } from '../wasm/core.js';
import type { Batch, FieldMode, TimeLimits } from '../wasm/writes.js';

/** Text is stored in pieces of about this size, bytes, so that the core's staging stays small. */
const PIECE = 1 << 20;
const NEWLINE = 0x0a;

/** As `Writes.ingest`, piece by piece if the text is large. @returns what became of all its lines. */
export function storeText(
  core: Core,
  text: Uint8Array,
  cluster: string,
  perSecond: number,
  now: number,
  times: TimeLimits,
  fields: FieldMode,
): Batch {
  if (text.length <= PIECE) return core.writes.ingest(text, cluster, perSecond, now, times, fields);
  const total: Batch = {
    lines: 0,
    stored: 0,
    skipped: 0,
    leftOut: 0,
    refused: 0,
    refusals: [],
    faults: [],
    outOfMemory: false,
    strays: [],
  };
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at);
    const batch = core.writes.ingest(text.subarray(at, end), cluster, perSecond, now, times, fields);
    for (const [line, ...why] of batch.refusals) total.refusals.push([total.lines + line, ...why]);
    total.faults.push(...batch.faults);
    for (const run of batch.strays) {
      total.strays.push({ ...run, offset: at + run.offset, firstLine: total.lines + run.firstLine });
    }
    total.lines += batch.lines;
    total.stored += batch.stored;
    total.skipped += batch.skipped;
    total.leftOut += batch.leftOut;
    total.refused += batch.refused;
    total.outOfMemory ||= batch.outOfMemory;
    at = end;
  }
  core.writes.releaseStaging();
  return total;
}

/** Where a piece ends: after the last newline that fits, or after the next one if a line is longer. */
function pieceEnd(text: Uint8Array, at: number): number {
  if (text.length - at <= PIECE) return text.length;
  const last = text.lastIndexOf(NEWLINE, at + PIECE - 1);
  if (last >= at) return last + 1;
  const next = text.indexOf(NEWLINE, at);
  return next < 0 ? text.length : next + 1;
}
