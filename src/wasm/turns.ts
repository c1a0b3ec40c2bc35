/**
 * Two threads, one linear memory: the worker that owns a partition and the main thread, its guest, take turns. A turn is a few
 * calls of the core with nothing in between. The owner waits for it, until the guest's turn ends and no longer; the guest does
 * without.
 *
 * All that the core keeps is in the memory, except its globals, of which each thread's instance has its own: who ends a turn
 * saves them (scripts/globals-transform.js), and who begins one reads them if the turn before was the other's.
 *
 *   words of the SharedArrayBuffer, i32
 *   ┌───────────┬─────────────┬──────────────┐
 *   │ 0 state   │ 1 last turn │ 2 globals    │
 *   │ TAKEN ... │ OWNER/GUEST │ address      │
 *   └───────────┴─────────────┴──────────────┘
 */

const STATE = 0;
const LAST = 1;
const GLOBALS = 2;
const WORDS = 3;

const FREE = 0;
const TAKEN = 1;
/** The guest's turn, and the owner waits for its end. */
const AWAITED = 2;
/** Free, but for the owner who has waited. */
const HANDED = 3;

export type Role = 'owner' | 'guest';
const NUMBER = { owner: 1, guest: 2 };

/** What two threads share of a partition. */
export interface SharedCore {
  memory: WebAssembly.Memory;
  turns: SharedArrayBuffer;
}

/** The state of turns for a new memory. The first is the owner's. */
export function newTurns(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(buffer).set([TAKEN, NUMBER.owner]);
  return buffer;
}

/** An instance's own globals. */
export interface Globals {
  /** Writes them to an address of linear memory. */
  saveGlobals(at: number): void;
  loadGlobals(at: number): void;
}

/** One thread's view of the turns. */
export class Turns {
  readonly #words: Int32Array;
  readonly #me: number;
  readonly #globals: Globals;

  constructor(buffer: SharedArrayBuffer, role: Role, globals: Globals) {
    this.#words = new Int32Array(buffer);
    this.#me = NUMBER[role];
    this.#globals = globals;
  }

  /** Says once where globals are saved, in the owner's first turn. @param at address of room for all of them. */
  keepGlobalsAt(at: number): void {
    this.#words[GLOBALS] = at;
  }

  /** The guest begins a turn if nobody has one or waits for one. @returns whether it did. */
  tryBegin(): boolean {
    if (Atomics.compareExchange(this.#words, STATE, FREE, TAKEN) !== FREE) return false;
    this.#begun();
    return true;
  }

  /** The owner begins a turn, when the guest's is over. */
  begin(): void {
    const words = this.#words;
    while (Atomics.compareExchange(words, STATE, FREE, TAKEN) !== FREE) {
      // It may have ended just now.
      if (Atomics.compareExchange(words, STATE, TAKEN, AWAITED) !== TAKEN) continue;
      while (Atomics.load(words, STATE) === AWAITED) Atomics.wait(words, STATE, AWAITED);
      Atomics.store(words, STATE, TAKEN);
      break;
    }
    this.#begun();
  }

  #begun(): void {
    const words = this.#words;
    if (words[LAST] === this.#me) return;
    words[LAST] = this.#me;
    this.#globals.loadGlobals(words[GLOBALS] as number);
  }

  /** Ends the turn: what the core has written is seen by the next one. */
  end(): void {
    const words = this.#words;
    this.#globals.saveGlobals(words[GLOBALS] as number);
    if (Atomics.compareExchange(words, STATE, TAKEN, FREE) === TAKEN) return;
    // The owner has the next turn, however soon the guest wants another.
    Atomics.store(words, STATE, HANDED);
    Atomics.notify(words, STATE, 1);
  }
}
