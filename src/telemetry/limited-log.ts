/** What the operations modules ask of a log: one line a call, without level prefix or line ends. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** A log line that may come up for every message of a fast stream. Call `flush` when the stream ends. */
export interface LimitedLog {
  (message: string): void;
  /** Writes the count of lines held back so far, if any, and cancels the timer. */
  flush(): void;
}

/**
 * Writes the first message at once, then holds back what comes within `intervalMs` and says at its end how many lines
 * were left out and what the last of them was: a flood costs one line an interval, but nothing is ever silent.
 */
export function limitedLog(write: (message: string) => void, intervalMs = 10_000): LimitedLog {
  let held = 0;
  let last = '';
  let timer: NodeJS.Timeout | undefined;

  const report = (): void => {
    timer = undefined;
    if (held === 0) return;
    write(held === 1 ? last : `${last} (and ${held - 1} more like it in ${intervalMs / 1000} s)`);
    held = 0;
    // What was just written opens the next interval, else a steady flood would get two lines an interval.
    timer = setTimeout(report, intervalMs).unref();
  };

  const limited = (message: string): void => {
    if (timer !== undefined) {
      held++;
      last = message;
      return;
    }
    write(message);
    timer = setTimeout(report, intervalMs).unref();
  };
  limited.flush = (): void => {
    clearTimeout(timer);
    report();
    clearTimeout(timer);
    timer = undefined;
  };
  return limited;
}
