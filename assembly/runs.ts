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
import { RunField } from '../src/wasm/layouts';
import { capacity, realloc } from './memory/alloc';

@unmanaged
class Run {
  partition: u32;
  offset: u32;
  length: u32;
  firstLine: u32;
  lines: u32;
}

if (
  offsetof<Run>('partition') != RunField.Partition ||
  offsetof<Run>('offset') != RunField.Offset ||
  offsetof<Run>('length') != RunField.Length ||
  offsetof<Run>('firstLine') != RunField.FirstLine ||
  offsetof<Run>('lines') != RunField.Lines ||
  offsetof<Run>() != RunField.Size
) {
  ERROR('layouts.ts has another layout of runs');
}

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

function runAt(i: i32): Run {
  return changetype<Run>(runs + <usize>i * RunField.Size);
}

/** Adds lines; they join the last run when they follow it. False when memory is exhausted. */
export function runAdd(partition: u32, offset: u32, length: u32, line: u32, lines: u32): bool {
  if (runCount) {
    const last = runAt(runCount - 1);
    if (last.partition == partition && last.offset + last.length == offset) {
      last.length += length;
      last.lines += lines;
      return true;
    }
  }
  const need = <u32>(runCount + 1) * RunField.Size;
  if (!runs || capacity(runs) < need) {
    const grown = realloc(runs, max<u32>(1024, need * 2), MemoryKind.Scratch);
    if (!grown) return false;
    runs = grown;
  }
  const run = runAt(runCount++);
  run.partition = partition;
  run.offset = offset;
  run.length = length;
  run.firstLine = line;
  run.lines = lines;
  return true;
}
