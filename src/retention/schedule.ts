/** setTimeout takes 32-bit milliseconds and fires at once beyond them (24.8 days). */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Timers count whole milliseconds and may fire early by a part of one. */
const TICK_MS = 1;

export interface Schedule {
  /** No further run begins; resolves when the one that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Runs a task every `seconds`, for the first time after `first`, however long that is. A run that takes longer than
 * the interval is not overlapped: the runs that it missed are left out. The task must not reject. The timer does not
 * keep the process alive.
 */
export function every(seconds: number, task: () => Promise<void>, first = seconds): Schedule {
  const interval = Math.max(1, seconds * 1000);
  let due = performance.now() + Math.max(1, first * 1000);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  const wait = (): void => {
    const left = due - performance.now();
    timer = setTimeout(left > MAX_TIMEOUT_MS ? wait : run, Math.min(Math.max(left, 0), MAX_TIMEOUT_MS)).unref();
  };
  const run = (): void => {
    running = task().finally(() => {
      running = undefined;
      if (stopped) return;
      const missed = Math.ceil((performance.now() + TICK_MS - due) / interval);
      due += interval * Math.max(missed, 1);
      wait();
    });
  };
  wait();
  return {
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
