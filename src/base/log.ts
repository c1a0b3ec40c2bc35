/**
 * Leveled log lines on stderr: `<4>[WARN] component: message`. The number in front is the sd-daemon priority, so that
 * journald shows each line at its level. Works the same in worker threads: give them `logSettings()` in `workerData`
 * and let them call `configureLog` with it.
 */
import { writeSync } from 'node:fs';

export type LogLevel = 'debug' | 'info' | 'warn' | 'err' | 'crit';

export interface LogSettings {
  /** Lines below this level are dropped. */
  level: LogLevel;
  /** Put local date and time (`2026/11/24 05:39:01`) into each line. */
  date: boolean;
}

/** From least to most severe. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'err', 'crit'];

/**
 * Each method takes a message and, where there is one, the error behind it: its message (and those of its causes) is
 * appended, its stack follows line by line when the level is `debug`. Neither needs to be trusted: see `escapeControls`.
 */
export type Logger = Record<LogLevel, (message: string, error?: unknown) => void>;

const PRIORITY: Record<LogLevel, number> = { debug: 7, info: 6, warn: 4, err: 3, crit: 2 };
const STDERR = 2;
/** A full pipe is given this many milliseconds to drain before a line is put aside. */
const FULL_PIPE_RETRIES = 20;
/** A little later than that, what was put aside is tried again. */
const RETRY_MS = 50;
const MAX_PENDING_BYTES = 1 << 20;

let settings: LogSettings = { level: 'warn', date: false };
let write: (line: string) => void = writeStderr;

/** Sets level and date for this thread; anything left out stays as it is. */
export function configureLog(change: Partial<LogSettings>): void {
  settings = { ...settings, ...change };
}

/** The settings of this thread, to be passed to workers. */
export function logSettings(): LogSettings {
  return { ...settings };
}

/** Sends lines (without their newline) elsewhere; for tests. Returns a function that puts the old place back. */
export function captureLog(sink: (line: string) => void): () => void {
  const before = write;
  write = sink;
  return () => {
    write = before;
  };
}

/** A logger whose lines carry `component`, e.g. `http` or `nats`. */
export function logger(component: string): Logger {
  const at = (level: LogLevel) => (message: string, error?: unknown) => emit(level, component, message, error);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), err: at('err'), crit: at('crit') };
}

/**
 * At most one line a level every `perSeconds` from the returned logger, for messages that a client or a broken disk can
 * cause at any rate. What is dropped is counted; the count is told with the last dropped message when the time is over.
 * Make one for each kind of message: messages are not told apart by their text, so that memory stays bounded.
 */
export function limited(log: Logger, perSeconds: number): Logger {
  const limit = (level: LogLevel) => {
    let open = true;
    let dropped = 0;
    let last: [message: string, error?: unknown] = [''];
    const endOfWindow = () => {
      if (dropped === 0) {
        open = true;
        return;
      }
      const more = dropped === 1 ? '' : ` (and ${dropped - 1} more like it in ${perSeconds} s)`;
      dropped = 0;
      log[level](`${last[0]}${more}`, last[1]);
      startWindow();
    };
    const startWindow = () => {
      open = false;
      setTimeout(endOfWindow, perSeconds * 1000).unref();
    };
    return (message: string, error?: unknown) => {
      if (PRIORITY[level] > PRIORITY[settings.level]) return;
      if (open) {
        log[level](message, error);
        startWindow();
      } else {
        dropped++;
        last = [message, error];
      }
    };
  };
  return { debug: limit('debug'), info: limit('info'), warn: limit('warn'), err: limit('err'), crit: limit('crit') };
}

/** An error's message followed by its causes' messages; any other thrown value as text. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${errorText(error.cause)}`;
  return `${error.message || error.name}${cause}`;
}

/**
 * Control characters (C0, C1, DEL, line separators, and the marks that turn the reading direction) as `\n`, `\x1b`,
 * `\u202e`, so that text from outside can neither forge a log line nor drive a terminal.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const named = NAMED_ESCAPES.get(character);
    if (named !== undefined) return named;
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is here to find
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const NAMED_ESCAPES = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function emit(level: LogLevel, component: string, message: string, error: unknown): void {
  if (PRIORITY[level] > PRIORITY[settings.level]) return;
  const cause = error === undefined ? '' : `: ${errorText(error)}`;
  line(level, component, `${message}${cause}`);
  if (settings.level === 'debug' && error instanceof Error && error.stack !== undefined) {
    for (const frame of error.stack.split('\n').slice(1)) line('debug', component, frame.trim());
  }
}

function line(level: LogLevel, component: string, text: string): void {
  const date = settings.date ? `${timestamp(new Date())} ` : '';
  write(`<${PRIORITY[level]}>${date}[${level.toUpperCase()}] ${component}: ${escapeControls(text)}`);
}

function timestamp(time: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** Lines that a full pipe has not taken yet, the first perhaps in part; written before anything else. */
const pending: Buffer[] = [];
let pendingBytes = 0;
/** Lines given up because too much is pending. */
let lost = 0;
let retry: NodeJS.Timeout | undefined;

/** Straight to the descriptor: a worker's `process.stderr` goes through the main thread and is lost when it dies. */
function writeStderr(text: string): void {
  // Nothing is waited for while an earlier line is still stuck: a reader that hangs must not stop the server.
  const patience = pending.length === 0 ? FULL_PIPE_RETRIES : 0;
  if (pendingBytes > MAX_PENDING_BYTES) lost++;
  else {
    const bytes = Buffer.from(`${text}\n`);
    pending.push(bytes);
    pendingBytes += bytes.length;
  }
  flushStderr(patience);
}

/** Writes what is pending; gives a full pipe that many milliseconds to drain, then comes back to it later. */
function flushStderr(patience: number): void {
  for (let waited = 0; pending[0] !== undefined; ) {
    try {
      const written = writeSync(STDERR, pending[0]);
      pendingBytes -= written;
      if (written === pending[0].length) pending.shift();
      else pending[0] = pending[0].subarray(written);
    } catch (error) {
      // Slow path: a non-blocking pipe is full. A closed stderr leaves nobody to tell.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        pending.length = 0;
        pendingBytes = 0;
      } else if (waited++ < patience) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      } else break;
    }
  }
  if (pending.length > 0) {
    if (retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      flushStderr(0);
    }, RETRY_MS).unref();
  } else if (lost > 0) {
    const count = lost;
    lost = 0;
    line('warn', 'log', `${count} lines lost: stderr was not read`);
  }
}
