/**
 * Which messages are just being applied, so that after a death it is known which of them may have caused it. A line of 128 bytes a
 * partition in `cluster-applying.jsonl` of the checkpoint directory, written before a message is applied and blanked afterwards.
 * It outlives the process, not the machine.
 *
 *   {"from":12,"to":15,"deaths":1,"version":"0.1.0"}      messages on their way; deaths that they were suspected of before
 *
 * After a death the messages that were on their way are applied one at a time, so the next death has one suspect. A message that
 * was there at three deaths is not applied again: its partition is stuck, and the others serve. Another version tries again.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'cluster-applying.jsonl';
const LINE = 128;
/** A message that was on its way at so many deaths is not applied again. */
const MOST_DEATHS = 3;

/** Messages that were on their way when a process died. */
export interface Suspects {
  from: number;
  to: number;
  deaths: number;
}

export class Applying {
  readonly #fd: number;
  readonly #version: string;
  readonly #found: ReadonlyMap<number, Suspects>;

  /** Reads what an earlier process has left. @param root checkpoint directory. @throws Error when the file can't be had. */
  constructor(root: string, partitions: number, version: string) {
    const path = join(root, NAME);
    this.#version = version;
    this.#found = existsSync(path) ? readAll(readFileSync(path, 'latin1'), version) : new Map();
    this.#fd = openSync(path, existsSync(path) ? 'r+' : 'w+');
    // All of it is there from now on: a full disk does not matter.
    ftruncateSync(this.#fd, 0);
    for (let partition = 0; partition < partitions; partition++) this.#put(partition, '');
    for (const [partition, { from, to, deaths }] of this.#found) this.begin(partition, from, to, deaths - 1);
  }

  /** Of a partition; undefined: nothing was on its way. */
  suspectsOf(partition: number): Suspects | undefined {
    return this.#found.get(partition);
  }

  /** Messages are about to be applied. @param deaths that they were suspected of before. */
  begin(partition: number, from: number, to: number, deaths = 0): void {
    this.#put(partition, JSON.stringify({ from, to, deaths, version: this.#version }));
  }

  /** All are applied. */
  end(partition: number): void {
    this.#put(partition, '');
  }

  #put(partition: number, text: string): void {
    writeSync(this.#fd, `${text.padEnd(LINE - 1)}\n`, partition * LINE, 'latin1');
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Whether a message is not to be applied any more. */
export function isPoison({ from, to, deaths }: Suspects): boolean {
  return from === to && deaths >= MOST_DEATHS;
}

function readAll(text: string, version: string): Map<number, Suspects> {
  const found = new Map<number, Suspects>();
  for (const [partition, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const { from, to, deaths, version: written } = JSON.parse(line) as Partial<Suspects> & { version?: string };
      const isGood = Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number.isSafeInteger(deaths);
      if (isGood && written === version) {
        found.set(partition, { from, to, deaths: (deaths ?? 0) + 1 } as Suspects);
      }
    } catch {
      // Half a line of a machine that lost power: nothing is known of it.
    }
  }
  return found;
}
