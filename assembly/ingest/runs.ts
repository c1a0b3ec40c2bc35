/**
 * Stretches of consecutive lines of a text that belong to one partition: what routing finds, and what a partition finds that
 * is not its own.
 *
 *   0           4        8        12           16
 *   ┌───────────┬────────┬────────┬────────────┬───────┐
 *   │ partition │ offset │ length │ first line │ lines │    20 bytes a run; lines count from 0
 *   └───────────┴────────┴────────┴────────────┴───────┘
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { RunField, RunsField } from '../../src/wasm/tables/layouts';
import { capacity, realloc } from '../memory/alloc';

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

@unmanaged
class Runs {
  /** Address of the first; valid until the next one is added. */
  at: usize;
  /** Runs since `clear`. */
  count: i32;

  private run(i: i32): Run {
    return changetype<Run>(this.at + <usize>i * RunField.Size);
  }

  /** Forgets all runs. */
  clear(): void {
    this.count = 0;
  }

  /** Adds lines; they join the last run when they follow it. False when memory is exhausted. */
  add(partition: u32, offset: u32, length: u32, line: u32, lines: u32): bool {
    if (this.count) {
      const last = this.run(this.count - 1);
      if (last.partition == partition && last.offset + last.length == offset) {
        last.length += length;
        last.lines += lines;
        return true;
      }
    }
    const need = <u32>(this.count + 1) * RunField.Size;
    if (!this.at || capacity(this.at) < need) {
      const grown = realloc(this.at, max<u32>(1024, need * 2), MemoryKind.Scratch);
      if (!grown) return false;
      this.at = grown;
    }
    const run = this.run(this.count++);
    run.partition = partition;
    run.offset = offset;
    run.length = length;
    run.firstLine = line;
    run.lines = lines;
    return true;
  }
}

if (offsetof<Runs>('at') != RunsField.At || offsetof<Runs>('count') != RunsField.Count) {
  ERROR('layouts.ts has another layout of the list of runs');
}

export const runs = changetype<Runs>(memory.data(offsetof<Runs>(), 8));
