/**
 * Every process that a test starts is started here: its output is kept, and it does not outlive the test.
 *
 *   a test fails       setup.ts shows what all of them have written, and kills those that the test has started
 *   the file ends      setup.ts kills the rest
 *   the run ends       reaper.js kills what is left, children of children too, even if vitest itself was killed
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface ProcessOptions {
  /** Working directory; default: the test's. */
  cwd?: string;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** What the logs of a failed test call it; default: the command and its arguments. */
  name?: string;
  /** Told what it writes to stdout as it comes. */
  onStdout?: (text: string) => void;
  /** Nobody reads what it writes to stderr until `readStderr` is called. */
  stderrIsHeld?: boolean;
}

/** How a process ended: one of the two is null. */
export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
}

export interface TestProcess {
  readonly pid: number;
  /** What it has written until now. */
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came. */
  readonly log: string;
  /** How it ended; undefined while it runs. */
  readonly ended: Ended | undefined;
  /** Resolves when it has ended and all output is here; rejects when it could not be started. */
  readonly exited: Promise<Ended>;
  readStderr(): void;
  /** Sends a signal, SIGTERM by default, and waits for the end; SIGKILL goes to its children as well. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** What has been started and not been forgotten, oldest first. */
const running = new Map<Child, { name: string; process: TestProcess }>();

/** Starts a program. It leads a process group of its own, so that it can be killed with its children. */
export function startProcess(command: string, args: string[], options: ProcessOptions = {}): TestProcess {
  const child = spawn(command, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  let log = '';
  let ended: Ended | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    log += text;
    options.onStdout?.(text);
  });
  const readStderr = (): void => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      log += text;
    });
  };
  if (!options.stderrIsHeld) readStderr();
  const exited = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      ended = { status, signal };
      resolve(ended);
    });
  });
  // Who does not wait for it need not handle that it could not be started: its log is empty, and the test fails by that.
  exited.catch(() => running.delete(child));
  const started: TestProcess = {
    pid: child.pid ?? 0,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    get log() {
      return log;
    },
    get ended() {
      return ended;
    },
    exited,
    readStderr,
    stop(signal = 'SIGTERM') {
      // Its id may be another's by now.
      if (ended) return exited;
      if (signal === 'SIGKILL') killGroup(child);
      else child.kill(signal);
      return exited;
    },
  };
  running.set(child, { name: options.name ?? [command, ...args].join(' '), process: started });
  return started;
}

/** How a process ended, and what it had written by then. */
export interface Finished extends Ended {
  stdout: string;
  stderr: string;
}

export async function finished(started: TestProcess): Promise<Finished> {
  const ended = await started.exited;
  return { ...ended, stdout: started.stdout, stderr: started.stderr };
}

/** Runs a program to its end. */
export function runProcess(command: string, args: string[], options?: ProcessOptions): Promise<Finished> {
  return finished(startProcess(command, args, options));
}

function killGroup(child: Child): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What has been started until now, to tell later ones from. */
export function startedUntilNow(): ReadonlySet<unknown> {
  return new Set(running.keys());
}

/** What the processes have written that ran at some time since they were last forgotten, each with its name. */
export function logs(): string {
  return [...running.values()]
    .map(({ name, process }) => {
      const { ended } = process;
      const end = ended ? `ended with ${ended.signal ?? `status ${ended.status}`}` : 'still runs';
      return `--- ${name} (${end})\n${process.log.slice(-LOG_SHOWN)}`;
    })
    .join('\n');
}

/** Characters of a process's output that a failed test shows: the last ones. */
const LOG_SHOWN = 16_384;

/** Forgets those that have ended. */
export function forgetEnded(): void {
  for (const [child, { process }] of running) if (process.ended) running.delete(child);
}

/** Kills what was started since, or everything, with all children, and waits until it is gone. */
export async function killAll(since: ReadonlySet<unknown> = new Set()): Promise<void> {
  const left = [...running].filter(([child]) => !since.has(child));
  for (const [child] of left) killGroup(child);
  await Promise.allSettled(left.map(([, { process }]) => process.exited));
  for (const [child] of left) running.delete(child);
}
