/**
 * What a message of a partition's stream says. A text, so that `nats sub` shows it: a head, which is a comment for every parser
 * of line protocol, and for `lines` whole lines that were checked.
 *
 *   #{"v":1,"kind":"lines","cluster":"alpha","perSecond":0,"fields":"value","now":1795800000}
 *   cpu_load,hostname=n1,type=hwthread,type-id=0 value=0.5 1795799990
 *
 * The head holds what was settled where the lines came in, so every copy stores the same. What a collector sends can't pass as
 * a head: comments are not published, and a line that begins with `#` is one.
 */
import type { FieldMode } from '../store/store.js';

/** The newest version that this build reads, and writes once all members read it. */
export const MESSAGE_VERSION = 1;
/** The oldest one that it reads. */
const OLDEST_VERSION = 1;

/** Lines of one partition. */
export interface LinesHead {
  kind: 'lines';
  /** Of lines that name none. */
  cluster: string;
  /** Units of the times a second; 0: each says it by its magnitude. */
  perSecond: number;
  fields: FieldMode;
  /** Unix seconds, of lines without a time. */
  now: number;
}

/** Blocks that end before `to`, unix seconds, are freed below each selector. */
export interface FreeHead {
  kind: 'free';
  to: number;
  selectors: string[][];
}

/** What ends before `to`, unix seconds, is freed, except below these hosts of clusters. */
export interface RetainHead {
  kind: 'retain';
  to: number;
  except: [string, string[]][];
}

export type Head = LinesHead | FreeHead | RetainHead;

const NEWLINE = 0x0a;
const decoder = new TextDecoder();

/** A head with its newline. @param version that every member reads. */
export function encodeHead(head: Head, version: number): string {
  return `#${JSON.stringify({ v: version, ...head })}\n`;
}

/** A message that this build can't read, but a newer one can. */
export class NewerVersion extends Error {
  override readonly name = 'NewerVersion';
}

/** @throws Error that says what is wrong with it; `NewerVersion`. */
export function decodeHead(message: Uint8Array): Head {
  const end = message.indexOf(NEWLINE);
  const text = decoder.decode(message.subarray(0, end < 0 ? message.length : end));
  let value: unknown;
  try {
    value = JSON.parse(text.slice(1));
  } catch {
    value = undefined;
  }
  if (text[0] !== '#' || typeof value !== 'object' || value === null) {
    throw new Error(`no message of a store: it begins with ${JSON.stringify(text.slice(0, 80))}`);
  }
  const { v, ...head } = value as Partial<Head> & { v?: unknown };
  if (typeof v === 'number' && v > MESSAGE_VERSION) {
    throw new NewerVersion(`a message of version ${v}, expected ${MESSAGE_VERSION}: a newer store has written it`);
  }
  if (typeof v !== 'number' || !(v >= OLDEST_VERSION)) {
    throw new Error(`a message of version ${String(v)}, expected ${OLDEST_VERSION} to ${MESSAGE_VERSION}`);
  }
  if (!isHead(head)) throw new Error(`a message that makes no sense: ${text.slice(0, 200)}`);
  return head;
}

function isHead(head: Partial<Head>): head is Head {
  switch (head.kind) {
    case 'lines':
      return (
        typeof head.cluster === 'string' &&
        Number.isSafeInteger(head.perSecond) &&
        (head.fields === 'value' || head.fields === 'all') &&
        Number.isSafeInteger(head.now)
      );
    case 'free':
      return Number.isSafeInteger(head.to) && Array.isArray(head.selectors) && head.selectors.every(isNames);
    case 'retain':
      return Number.isSafeInteger(head.to) && Array.isArray(head.except) && head.except.every(isExcept);
    default:
      return false;
  }
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isExcept(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isNames(value[1]);
}
