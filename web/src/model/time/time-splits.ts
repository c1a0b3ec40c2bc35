import type { Zone } from './times.js';

const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
/** Pixels that a label takes. */
const LABEL = 90;

/** Times for labels: full minutes, hours or days of the zone, as many as there is room for. @param width pixels. */
export function timeSplits(from: number, to: number, width: number, zone: Zone): number[] {
  const room = Math.max(2, width / LABEL);
  const step = STEPS.find((one) => (to - from) / one <= room) ?? 604_800;
  const offset = zone === 'utc' ? 0 : -new Date(from * 1000).getTimezoneOffset() * 60;
  const splits: number[] = [];
  for (let time = Math.ceil((from + offset) / step) * step - offset; time <= to; time += step) splits.push(time);
  return splits;
}
