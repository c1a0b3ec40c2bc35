/** How many pieces of an answer are on their way, and when their memory is used again. */
import { expect, test } from 'vitest';
import { AnswerBudget } from '../../src/store/query/budget.js';
import { PieceStream } from '../../src/store/query/piece-stream.js';
import type { Piece } from '../../src/store/query/question.js';
import { LEAST_PIECE, PIECE, PIECE_BUFFER, WINDOW } from '../../src/store/query/sizes.js';

/** A piece in a buffer of the usual size, or of `room` bytes. */
function piece(length: number, done = false, room = Math.max(length, PIECE_BUFFER)): Piece {
  const buffer = new ArrayBuffer(room);
  return { bytes: new Uint8Array(buffer, 0, length), marks: [], buffer, done };
}

/** A piece that shares its buffer with others. */
function shared(length: number, done = false): Piece {
  return { ...piece(length, done), buffer: undefined };
}

/** A stream, and what it asked its source for. */
function open(first: Piece, budget = new AnswerBudget()) {
  const asked: number[] = [];
  const recycled: ArrayBuffer[] = [];
  const left: number[] = [];
  const source = {
    more: (_id: number, bytes: number) => asked.push(bytes),
    recycle: (buffer: ArrayBuffer) => recycled.push(buffer),
    leave: (id: number) => left.push(id),
  };
  return { stream: new PieceStream(7, first, source, budget), asked, recycled, left, budget };
}

test('a whole answer is never asked for more, and its bytes count until it is left', async () => {
  const { stream, asked, left, budget } = open(shared(1000, true));
  expect(budget.used).toBe(1000);
  stream.prefetch();
  expect(budget.used).toBe(1000);
  expect(await stream.next()).toBe(false);
  expect(budget.used).toBe(0);
  stream.leave();
  expect([asked, left, budget.used]).toEqual([[], [], 0]);
});

test('pieces are made ahead of the reader, WINDOW of them with the one that is read', async () => {
  const { stream, asked, budget } = open(piece(PIECE));
  expect(asked).toEqual([]);
  stream.prefetch();
  expect(asked).toEqual(Array.from({ length: WINDOW - 1 }, () => PIECE));
  stream.prefetch();
  expect(asked).toHaveLength(WINDOW - 1);
  expect(budget.used).toBe(PIECE_BUFFER + (WINDOW - 1) * PIECE);
  for (let i = 1; i < WINDOW; i++) stream.receive(piece(PIECE));
  stream.prefetch();
  expect(asked).toHaveLength(WINDOW - 1);
  expect(budget.used).toBe(WINDOW * PIECE_BUFFER);
});

test('the buffer of a piece goes back when the next one is wanted, not before, and of the last one when all is read', async () => {
  const [first, last] = [piece(PIECE), piece(PIECE, true)];
  const { stream, recycled } = open(first);
  stream.prefetch();
  stream.receive(last);
  expect(recycled).toEqual([]);
  expect(await stream.next()).toBe(true);
  expect(recycled).toEqual([first.buffer]);
  expect(await stream.next()).toBe(false);
  expect(await stream.next()).toBe(false);
  expect(recycled).toEqual([first.buffer, last.buffer]);
});

test('buffers of an answer that is left are not used again: a socket may still send from them', () => {
  const { stream, recycled } = open(piece(PIECE));
  stream.prefetch();
  stream.receive(piece(PIECE, true));
  stream.leave();
  expect(recycled).toEqual([]);
});

test('beyond the budget a reader gets one small piece at a time, when it waits for it', async () => {
  const { stream, asked, budget } = open(piece(PIECE), new AnswerBudget(2 * PIECE_BUFFER + PIECE));
  budget.take(PIECE_BUFFER);
  stream.prefetch();
  expect(asked).toEqual([PIECE]);
  budget.take(2 * PIECE_BUFFER);
  stream.receive(piece(PIECE));
  expect(await stream.next()).toBe(true);
  expect(asked).toHaveLength(1);
  const third = stream.next();
  expect(asked).toEqual([PIECE, LEAST_PIECE]);
  stream.receive(piece(LEAST_PIECE, false, LEAST_PIECE));
  expect(await third).toBe(true);
  stream.prefetch();
  expect(asked).toHaveLength(2);
  // Others have read theirs.
  budget.release(3 * PIECE_BUFFER);
  stream.prefetch();
  expect(asked).toEqual([PIECE, LEAST_PIECE, PIECE, PIECE]);
  stream.leave();
  expect(budget.used).toBe(0);
});

test('a reader who waits is told of a piece, the end and an error', async () => {
  const { stream } = open(piece(10));
  const second = stream.next();
  stream.receive(piece(20));
  expect(await second).toBe(true);
  expect(stream.current.bytes).toHaveLength(20);
  const third = stream.next();
  stream.fail(new Error('gone'));
  await expect(third).rejects.toThrow('gone');
  await expect(stream.next()).rejects.toThrow('gone');
});

test('an answer that is left tells its source once, waits for nothing more, and gives its bytes back once', async () => {
  const { stream, left, budget } = open(piece(10));
  stream.prefetch();
  stream.leave();
  stream.leave();
  stream.receive(piece(20));
  await expect(stream.next()).rejects.toThrow('an answer that was left is read');
  expect(left).toEqual([7]);
  expect(budget.used).toBe(0);
});
