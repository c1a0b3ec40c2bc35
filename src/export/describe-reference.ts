import { BIN_MAGIC, readBin, type Window } from '../persistence/reference/bin-reader.js';
import { ByteSource } from '../persistence/reference/byte-source.js';
import { ownerOf } from '../persistence/reference/directory.js';
import { readJsonCheckpoint } from '../persistence/reference/json-reader.js';
import {
  LOG_MAGIC,
  LOG_RECORD_MAGIC,
  type LogDamage,
  logSamples,
  readReferenceLog,
} from '../persistence/reference/log-reader.js';
import { ReferenceFormatError, type SeriesRun } from '../persistence/reference/types.js';
import { formatTime, SeriesSummary } from './series-summary.js';

type Kind = 'bin' | 'json' | 'log';

const KIND_TEXT: Record<Kind, string> = {
  bin: "binary checkpoint in the reference's format",
  json: "JSON checkpoint in the reference's format",
  log: "write-ahead log in the reference's format",
};

/** Damaged stretches of a log that are listed one by one. */
const LISTED = 16;

/**
 * Says in lines of text, for an admin, what a file of the reference holds, from when to when, and whether it is whole.
 * The kind is found in the content, so a file that was renamed (`.corrupt`) is described too. Damage is part of the
 * description and no error; errors of the file system reject.
 */
export async function* describeReferenceFile(path: string): AsyncGenerator<string> {
  const { kind, size } = await identify(path);
  if (kind === undefined) {
    yield `${path}: ${size} bytes, not a file of the reference: neither a checkpoint (.bin, .json) nor a log (current.wal)`;
    return;
  }
  yield `${path}: ${KIND_TEXT[kind]}, ${size} bytes`;
  const { cluster, host } = ownerOf(path);
  yield `cluster ${cluster}, host ${host} (from the names of the directories)`;
  yield* kind === 'log'
    ? describeLog(path)
    : describeCheckpoint(kind === 'bin' ? readBin(path) : readJsonCheckpoint(path));
}

async function identify(path: string): Promise<{ kind: Kind | undefined; size: number }> {
  const source = await ByteSource.open(path, 64);
  try {
    await source.fill(Math.min(64, source.size));
    return { kind: kindOf(path, source), size: source.size };
  } finally {
    await source.close();
  }
}

function kindOf(path: string, source: ByteSource): Kind | undefined {
  const magic = source.buffered >= 4 ? source.view.getUint32(0, true) : 0;
  if (magic === BIN_MAGIC) return 'bin';
  if (magic === LOG_MAGIC || magic === LOG_RECORD_MAGIC) return 'log';
  if (source.bytes.toString('latin1', 0, source.end).trimStart().startsWith('{')) return 'json';
  return /current\.wal/.test(path) && source.size === 0 ? 'log' : undefined;
}

async function* describeCheckpoint(runs: AsyncGenerator<SeriesRun, Window>): AsyncGenerator<string> {
  const summary = new SeriesSummary();
  let window: Window | undefined;
  let damage: ReferenceFormatError | undefined;
  try {
    for (;;) {
      const { value, done } = await runs.next();
      if (done === true) {
        window = value;
        break;
      }
      summary.addRun(value);
    }
  } catch (error) {
    if (!(error instanceof ReferenceFormatError)) throw error;
    damage = error;
  }
  if (window !== undefined)
    yield `window: ${formatTime(window.from)} to ${window.to === 0 ? 'not said' : formatTime(window.to)}`;
  yield* summary.lines();
  if (damage === undefined) yield 'whole: every byte belongs to the checkpoint (the format has no checksum)';
  else yield `damaged at byte ${damage.offset}: ${damage.why}; listed is what comes before`;
}

async function* describeLog(path: string): AsyncGenerator<string> {
  const summary = new SeriesSummary();
  const damages: LogDamage[] = [];
  let stretches = 0;
  try {
    const batches = readReferenceLog(path, (damage) => {
      if (stretches++ < LISTED) damages.push(damage);
    });
    for await (const batch of batches) {
      for (const { levels, metric, timestamp, value } of logSamples(batch)) {
        summary.addSample(levels, metric, timestamp, value);
      }
    }
  } catch (error) {
    if (!(error instanceof ReferenceFormatError)) throw error;
    yield `damaged at byte ${error.offset}: ${error.why}`;
    return;
  }
  yield* summary.lines();
  for (const { from, to, why } of damages)
    yield `damaged at byte ${from}: ${why}; ${to - from} bytes hold no whole record`;
  if (stretches > LISTED) yield `damaged in ${stretches - LISTED} more places`;
  if (stretches === 0) yield 'whole: every checksum holds';
  else yield 'the samples before and after damaged places can be read, and are counted above';
}
