/**
 * Main thread. Writes that come before the partitions are loaded: they are checked as ever, kept in files of their own, and
 * answered. Once all partitions are loaded they go the usual way, in the order in which they came and before any newer write.
 *
 *   holding    good lines are appended to the newest file
 *   last       the files are nearly applied: newer writes wait for that, or it might never end
 *   applied    nothing is left; newer writes go the usual way
 *
 * The files are log segments in `early-writes/` (docs/formats.md). One is removed when the logs of the partitions hold its
 * lines, so that a kill at any time loses none: what is left is applied after the next start's load.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreConfig } from '../config/config.js';
import type { HostClockCounts } from '../partition/host-clocks.js';
import { setAside } from '../persistence/damaged-files.js';
import { EARLY_WRITES, listSegments, segmentName } from '../persistence/layout.js';
import { LogFile } from '../persistence/log/log-file.js';
import { reportFile, scanFile } from '../persistence/scan-file.js';
import type { Run } from '../wasm/runs.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import type { Buffers } from './buffers.js';
import { decodeLines, encodeHead } from './early-lines.js';
import { EarlySenders } from './early-senders.js';
import { LineChecker, type LineCheckerOptions } from './line-checker.js';
import type { CheckedFigures } from './merge.js';
import { StoreError, type WriteOutcome } from './store.js';
import type { Lines } from './writes.js';

/** Bytes after which a new file begins: one is applied at a time, and read whole for it. */
const FILE_BYTES = 8 << 20;
/** Bytes of lines in one frame, or one run of lines if that is longer. */
const FRAME_BYTES = 1 << 20;
/** So many bytes are applied in a moment: newer writes may wait for them. */
const LAST_BYTES = 4 << 20;
const SYNC_MS = 1000;
const NEWLINE = 0x0a;
const NOTHING_STORED: WriteOutcome = { stored: 0, skipped: 0, refused: 0, refusals: [] };
/** After a disk has refused what was applied. */
const RETRY_MS = 1000;

export interface EarlyWritesOptions extends LineCheckerOptions {
  config: StoreConfig;
  buffers: Buffers;
}

export class EarlyWrites {
  readonly #options: EarlyWritesOptions;
  readonly #directory: string;
  readonly #checker: LineChecker;
  readonly #senders = new EarlySenders();
  #file: LogFile | undefined;
  #fileBytes = 0;
  #phase: 'closed' | 'holding' | 'last' | 'applied' = 'closed';
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when the phase leaves `closed`, and when it becomes `applied`. */
  readonly #opened = new Signal();
  readonly #applied = new Signal();

  constructor(options: EarlyWritesOptions) {
    const { config } = options;
    this.#options = options;
    this.#directory = join(config.checkpoints.directory, EARLY_WRITES);
    this.#checker = new LineChecker(options);
  }

  /** What became of the lines that were not kept. */
  get figures(): CheckedFigures {
    return this.#checker.figures;
  }

  /** Hosts that are ahead of this server's clock, of those that send (`HostClocks.count`). */
  hostClocks(withSenders: boolean): HostClockCounts {
    return this.#checker.clocks.count(this.#senders, withSenders, Math.floor(Date.now() / 1000));
  }

  /** Whether lines are refused for their time. */
  get trustsClock(): boolean {
    return this.#checker.clocks.isTrusted;
  }

  set trustsClock(isTrusted: boolean) {
    this.#checker.clocks.trust(isTrusted);
  }

  /**
   * To be called once the checkpoint directory is this process's: writes may be kept from now on. @throws Error that names a file of
   * the last start that can't be read: its lines were acknowledged.
   */
  open(): void {
    const existing = listSegments(this.#directory).map(({ name, number }) => {
      const path = join(this.#directory, name);
      return { number, bytes: readableBytes(path), head: 0, begun: 0 };
    });
    const next = (existing.at(-1)?.number ?? 0) + 1;
    this.#file = new LogFile(this.#directory, this.#options.config.walSync, existing, next, () => undefined);
    this.#phase = 'holding';
    this.#opened.give();
  }

  /**
   * Keeps a body's good lines. @param lines taken over.
   * @returns what became of them; undefined: the store has to take them, which holds all that came before.
   * @throws StoreError LOG_FAILED, OUT_OF_MEMORY, STOPPING; nothing of the body is kept then.
   */
  async take(lines: Lines): Promise<WriteOutcome | undefined> {
    await this.#opened.given;
    if (this.#phase === 'last') await this.#applied.given;
    if (this.#phase === 'applied') return undefined;
    if (this.#stopping) throw new StoreError('STOPPING', 'the server is stopping');
    try {
      return this.#keep(lines);
    } finally {
      this.#options.buffers.give(lines.body);
    }
  }

  #keep(lines: Lines): WriteOutcome {
    const { outcome, runs, now } = this.#checker.check(lines);
    const { body, length, cluster, perSecond, fields } = lines;
    if (runs.length) {
      const text = new Uint8Array(body, 0, length);
      this.#senders.note(text, runs, cluster, Math.floor(Date.now() / 1000));
      this.#append(text, runs, encodeHead({ cluster, perSecond, fields, now }));
    }
    return outcome;
  }

  #append(text: Uint8Array, runs: Run[], head: Uint8Array): void {
    const frames = frameTexts(text, runs).map((parts) =>
      this.#checker.core.files.frame(FrameMagic.Early, [head, ...parts]).slice(),
    );
    const bytes = Buffer.concat(frames);
    const file = this.#file as LogFile;
    try {
      if (this.#fileBytes === 0) mkdirSync(this.#directory, { recursive: true });
      file.open();
      file.append(bytes);
      if (this.#options.config.walSync === 'always') file.syncNow();
    } catch (error) {
      this.#fileBytes = 0;
      throw new StoreError('LOG_FAILED', `the write can't be kept: ${(error as Error).message}`, { cause: error });
    } finally {
      this.#checker.core.writes.releaseStaging();
    }
    this.#timer ??= setInterval(() => file.syncLater(), SYNC_MS).unref();
    this.#fileBytes += bytes.length;
    if (this.#fileBytes < FILE_BYTES) return;
    file.rotate();
    this.#fileBytes = 0;
  }

  /**
   * Applies everything, to be called once all partitions are loaded. Resolves when nothing is left, or `stop` was called.
   * @param store stores lines the usual way. @returns lines that were applied.
   */
  async apply(store: (lines: Lines) => Promise<WriteOutcome>): Promise<number> {
    const file = this.#file as LogFile;
    let applied = 0;
    while (!this.#stopping && file.bytes > 0) {
      if (file.bytes < LAST_BYTES) this.#phase = 'last';
      const next = file.rotate();
      this.#fileBytes = 0;
      for (const { number } of listSegments(this.#directory)) {
        if (number >= next || this.#stopping) break;
        applied += await this.#applyFile(number, store);
      }
    }
    if (this.#stopping) return applied;
    this.#phase = 'applied';
    this.#close();
    this.#removeDirectory();
    this.#applied.give();
    return applied;
  }

  async #applyFile(number: number, store: (lines: Lines) => Promise<WriteOutcome>): Promise<number> {
    const { log, buffers } = this.#options;
    const path = join(this.#directory, segmentName(number));
    const all: Lines[] = [];
    const { core } = this.#checker;
    const report = scanFile(core, path, FrameMagic.Early, (p, n) => {
      const lines = decodeLines(core.files.payload(p, n), buffers);
      if (lines) all.push(lines);
      return lines ? 0 : 1;
    });
    const damaged = reportFile(path, report, log, true);
    let applied = 0;
    // One after the other: lines that stray to another partition, and writes that are tried again, must not fall behind newer ones.
    for (const lines of all) {
      const outcome = await this.#store(lines, store);
      if (!outcome) return applied;
      applied += outcome.stored;
      // They were good when they came: what is refused now does not fit into its series.
      for (const { line, reason } of outcome.refusals) log.err(`${path}: line ${line} can't be stored: ${reason}`);
    }
    if (damaged) setAside(path);
    this.#file?.dropBelow(number + 1);
    return applied;
  }

  /** Stores lines, again and again while the disk refuses them. @returns undefined: the server stops before. */
  async #store(
    { body, length, ...rest }: Lines,
    store: (lines: Lines) => Promise<WriteOutcome>,
  ): Promise<WriteOutcome | undefined> {
    const { buffers, log } = this.#options;
    const text = new Uint8Array(body, 0, length);
    while (!this.#stopping) {
      try {
        const copy = buffers.take(length);
        new Uint8Array(copy).set(text);
        const outcome = await store({ ...rest, body: copy, length });
        buffers.give(body);
        return outcome;
      } catch (error) {
        log.err('what was written during the load can not be stored', error);
        // Nothing frees memory before the server is ready.
        if (error instanceof StoreError && error.code === 'OUT_OF_MEMORY') return NOTHING_STORED;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }

  /** No more is kept or applied; what is left is for the next start. */
  stop(): void {
    this.#stopping = true;
    this.#opened.give();
    this.#applied.give();
    this.#close();
  }

  #removeDirectory(): void {
    if (!existsSync(this.#directory)) return;
    this.#file?.dropBelow(Number.POSITIVE_INFINITY);
    // What was damaged was set aside there, and stays.
    if (!readdirSync(this.#directory).length) rmdirSync(this.#directory);
  }

  /** Syncs and closes the file. */
  #close(): void {
    clearInterval(this.#timer);
    this.#file?.close();
  }
}

/** Bytes of a file that can be read. @throws Error that says what to do if it can't. */
function readableBytes(path: string): number {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).size;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `${path}: holds writes that were acknowledged while an earlier start loaded, and can't be read: ${why}; ` +
        "make it readable for the server's user, or move it away to start without them",
      { cause: error },
    );
  }
}

/** The texts of frames: each the lines of some runs. */
function frameTexts(text: Uint8Array, runs: Run[]): Uint8Array[][] {
  const frames: Uint8Array[][] = [[]];
  let bytes = 0;
  for (const { offset, length } of runs) {
    if (bytes && bytes + length > FRAME_BYTES) {
      frames.push([]);
      bytes = 0;
    }
    const lines = text.subarray(offset, offset + length);
    frames.at(-1)?.push(lines);
    // The last line may lack its newline, and other lines follow it.
    if (lines.at(-1) !== NEWLINE) frames.at(-1)?.push(Uint8Array.of(NEWLINE));
    bytes += length;
  }
  return frames;
}

/** Something that happens once. */
class Signal {
  give: () => void = () => {};
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}
