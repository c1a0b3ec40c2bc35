/** Work that is done again and again while somebody looks. */

/** Longest pause after failures, in seconds. */
const LONGEST_SECONDS = 60;

/**
 * Runs `work` now and then `seconds` after it ended; not while the tab is hidden, and at once when it is shown again.
 * After a failure the pause doubles.
 * @param seconds of pause; 0: once, and again only after a failure.
 * @param work gets a signal that is aborted at the end. It handles its errors; what it throws only delays the next run.
 * @returns what ends it.
 */
export function repeat(seconds: () => number, work: (signal: AbortSignal) => Promise<void>): () => void {
  const ended = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let due = false;
  let failures = 0;

  const run = async (): Promise<void> => {
    if (running || ended.signal.aborted) return;
    if (document.hidden) {
      due = true;
      return;
    }
    running = true;
    due = false;
    try {
      await work(ended.signal);
      failures = 0;
    } catch {
      failures++;
    }
    running = false;
    if (ended.signal.aborted) return;
    const pause = failures > 0 ? Math.min(LONGEST_SECONDS, Math.max(seconds(), 1) * 2 ** (failures - 1)) : seconds();
    if (pause > 0) timer = setTimeout(run, pause * 1000);
  };
  const shown = (): void => {
    if (document.hidden || !due) return;
    clearTimeout(timer);
    void run();
  };
  document.addEventListener('visibilitychange', shown);
  // Not at once: what the work reads would count as read by the effect that begins it, which would begin it anew.
  queueMicrotask(run);
  return () => {
    ended.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', shown);
  };
}
