/** Whether views follow the present. */
class Live {
  on = $state(true);
}

export const live = new Live();

/** Seconds between two questions for what is new of a metric: often enough to see nodes come in one after the other. */
export function livePause(frequency: number): number {
  if (!live.on) return 0;
  return Math.min(60, Math.max(5, frequency / 6));
}
