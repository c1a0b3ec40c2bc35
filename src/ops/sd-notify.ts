/**
 * systemd's notification protocol: datagrams to the unix socket in `$NOTIFY_SOCKET`.
 *
 * Node has no unix datagram sockets, so one small shell is kept that sends each line it is given with `systemd-notify`
 * (or python3 or perl, for containers without systemd). Kept, because starting a process from a server of many
 * gigabytes costs the main thread a pause each time; a shell of its own, because it then does so instead.
 * The datagrams therefore come from a child: the unit needs `NotifyAccess=all`.
 *
 *     sdNotify("READY=1") ──stdin, a line──▶ sh ──▶ systemd-notify ──datagram──▶ $NOTIFY_SOCKET
 *                         ◀─stdout, "0"/"1"──
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { logger } from '../base/log.js';

const log = logger('systemd');

const PYTHON = `import os, socket, sys
path = os.environ["NOTIFY_SOCKET"]
path = "\\0" + path[1:] if path.startswith("@") else path
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.argv[1].encode(), path)`;
const PERL = `use Socket; my $path = $ENV{NOTIFY_SOCKET}; $path =~ s/^[@]/\\0/; my $socket;
socket($socket, AF_UNIX, SOCK_DGRAM, 0) && defined(send($socket, $ARGV[0], 0, pack_sockaddr_un($path))) || exit 1`;
/** Signals are left to the server: it may have something to say while it stops. The end of its stdin ends the shell. */
const SENDER = `trap '' TERM INT HUP
has() { command -v "$1" >/dev/null 2>&1; }
while IFS= read -r state; do
  if has systemd-notify; then systemd-notify -- "$state"
  elif has python3; then python3 -c "$PYTHON" "$state"
  elif has perl; then perl -e "$PERL" "$state"
  else false
  fi >/dev/null 2>&1
  echo "$?"
done`;
const FORM = /^[A-Z_]+=[^\n]*$/;

type Sender = ChildProcessByStdio<Writable, Readable, null>;

let sender: Sender | undefined;
/** Callers whose line has been written and not answered, oldest first. */
let waiting: ((sent: boolean) => void)[] = [];

/** True when systemd, or whoever plays its part, wants to hear from this process. */
export function isNotifyWanted(): boolean {
  return (process.env.NOTIFY_SOCKET ?? '') !== '';
}

/**
 * Sends one assignment, e.g. `READY=1`, `STOPPING=1`, `STATUS=loading checkpoints`, and resolves once it is sent. Does
 * nothing without `$NOTIFY_SOCKET`. Never rejects: false, and a warning in the log, when it could not be sent. Call it
 * only after privileges are dropped: the shell keeps those it was started with.
 */
export async function sdNotify(state: string): Promise<boolean> {
  if (!isNotifyWanted()) return false;
  if (!FORM.test(state)) throw new Error(`BUG: ${JSON.stringify(state)} is not one NAME=value line`);
  sender ??= startSender();
  const current = sender;
  const sent = await new Promise<boolean>((resolve) => {
    waiting.push(resolve);
    keepAlive(current, true);
    current.stdin.write(`${state}\n`);
  });
  if (!sent) log.warn(`could not send ${JSON.stringify(state)} to ${process.env.NOTIFY_SOCKET}`);
  return sent;
}

export interface WatchdogOptions {
  /** Asked before each sign of life; false or a rejection leaves it out, so that systemd restarts the service. */
  isAlive: () => boolean | Promise<boolean>;
}

/**
 * Sends `WATCHDOG=1` at half of systemd's `WatchdogSec`, when it set one for this process.
 * @returns stops it
 */
export function startWatchdog({ isAlive }: WatchdogOptions): () => void {
  const microseconds = Number(process.env.WATCHDOG_USEC);
  const pid = process.env.WATCHDOG_PID;
  if (!isNotifyWanted() || !(microseconds > 0) || (pid !== undefined && Number(pid) !== process.pid)) return () => {};
  const beat = async () => {
    let alive = false;
    try {
      alive = await isAlive();
    } catch (error) {
      log.err('the check for the watchdog failed', error);
    }
    if (alive) await sdNotify('WATCHDOG=1');
    else log.err('not alive: no sign of life is given to the watchdog');
  };
  void beat();
  const timer = setInterval(() => void beat(), microseconds / 2000).unref();
  return () => clearInterval(timer);
}

function startSender(): Sender {
  const env = { ...process.env, PYTHON, PERL };
  const child = spawn('/bin/sh', ['-c', SENDER], { stdio: ['pipe', 'pipe', 'ignore'], env });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const code of text.trim().split('\n')) waiting.shift()?.(code === '0');
    if (waiting.length === 0) keepAlive(child, false);
  });
  const lose = () => {
    if (sender !== child) return;
    sender = undefined;
    const callers = waiting;
    waiting = [];
    for (const caller of callers) caller(false);
  };
  child.on('error', lose).on('exit', lose);
  child.stdin.on('error', lose);
  return child;
}

/** The shell keeps this process alive while an answer is due, and not otherwise. */
function keepAlive(child: Sender, isDue: boolean): void {
  const method = isDue ? 'ref' : 'unref';
  child[method]();
  // The pipes to a child are sockets at run time, which the types do not say.
  for (const pipe of [child.stdin, child.stdout] as unknown as Socket[]) pipe[method]();
}
