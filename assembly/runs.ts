/**
 * Stretches of consecutive lines of a text that belong to one partition: what routing finds, and what a partition finds that
 * is not its own.
 *
 *   0           4        8        12           16
 *   ┌───────────┬────────┬────────┬────────────┬───────┐
 *   │ partition │ offset │ length │ first line │ lines │    20 bytes a run; lines count from 0
 *   └───────────┴────────┴────────┴────────────┴───────┘
 */
import { MemoryKind } from '../src/wasm/codes';
import { capacity, realloc } from './memory/alloc';

const RUN: usize = 20;

let runs: usize = 0;
/** Runs since `runsReset`. */
export let runCount: i32 = 0;

/** Address of the runs; valid until the next one is added. */
export function runsAt(): usize {
  return runs;
}

/** Forgets all runs. */
export function runsReset(): void {
  runCount = 0;
}

/** Adds lines; they join the last run when they follow it. False when memory is exhausted. */
export function runAdd(partition: u32, offset: u32, length: u32, line: u32, lines: u32): bool {
  if (runCount) {
    const last = runs + <usize>(runCount - 1) * RUN;
    if (load<u32>(last) == partition && load<u32>(last, 4) + load<u32>(last, 8) == offset) {
      store<u32>(last, load<u32>(last, 8) + length, 8);
      store<u32>(last, load<u32>(last, 16) + lines, 16);
      return true;
    }
  }
  const need = <u32>(runCount + 1) * <u32>RUN;
  if (!runs || capacity(runs) < need) {
    const grown = realloc(runs, max<u32>(1024, need * 2), MemoryKind.Scratch);
    if (!grown) return false;
    runs = grown;
  }
  const r = runs + <usize>runCount * RUN;
  store<u32>(r, partition);
  store<u32>(r, offset, 4);
  store<u32>(r, length, 8);
  store<u32>(r, line, 12);
  store<u32>(r, lines, 16);
  runCount++;
  return true;
}
