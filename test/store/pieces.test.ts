/** Pieces that cross between threads come out as they went in, whatever their sizes. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { PIECE_BUFFER } from '../../src/store/buffers.js';
import type { Piece, PiecesMessage } from '../../src/store/protocol.js';
import { PiecePacker, unpackPieces } from '../../src/store/query/pieces.js';
import { seeded } from '../support/random.js';

/** What a message is on the other side of a port. */
function cross(packer: PiecePacker): PiecesMessage {
  const packed = packer.take();
  if (!packed) throw new Error('nothing to send');
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(packed.message, packed.transfer);
  const received = receiveMessageOnPort(port2)?.message as PiecesMessage;
  port1.close();
  return received;
}

describe('packed pieces', () => {
  it('come out as they went in', () => {
    const random = seeded(11);
    const int = (n: number): number => Math.floor(random() * n);
    const bytesOf = (n: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: n }, () => int(256));
    const sizes = [0, 1, 100, 5000, 16 << 10, (16 << 10) + 1, 40_000, 150_000, PIECE_BUFFER, PIECE_BUFFER + 1];
    const size = (): number => int(sizes[int(sizes.length)] as number) || (sizes[int(4)] as number);
    const packer = new PiecePacker();
    for (let round = 0; round < 60; round++) {
      const sent: Omit<Piece, 'failure'>[] = [];
      const failed: number[] = [];
      for (let i = 1 + int(12); i > 0; i--) {
        const id = 1 + int(1 << 30);
        const text = bytesOf(int(3) ? 0 : size());
        if (text.length) packer.addText(text);
        if (int(8) === 0) {
          packer.fail(id, { code: 'INTERNAL', message: `no ${id}` });
          failed.push(id);
          sent.push({ id, bytes: new Uint8Array(0), ends: [], done: true, text });
          continue;
        }
        const piece = { id, bytes: bytesOf(size()), ends: Array.from({ length: int(5) }, () => int(1e6)) };
        const done = int(2) === 0;
        packer.add(id, piece.bytes, piece.ends, done);
        sent.push({ ...piece, done, text });
      }
      const message = cross(packer);
      expect(packer.take()).toBeUndefined();
      const received = unpackPieces(message);
      expect(received.length).toBe(sent.length);
      for (const [i, { failure, bytes, text, ...rest }] of received.entries()) {
        const { bytes: sentBytes, text: sentText, ...sentRest } = sent[i] as Piece;
        expect(rest).toEqual(sentRest);
        expect(Buffer.compare(bytes, sentBytes)).toBe(0);
        expect(Buffer.compare(text, sentText)).toBe(0);
        if (failure) expect(failure.message).toBe(`no ${failed.shift()}`);
      }
      expect(failed).toEqual([]);
      // Buffers of large pieces come back dirty.
      for (const buffer of message.large) {
        if (buffer.byteLength === PIECE_BUFFER) packer.recycle(new Uint8Array(buffer).fill(0xee).buffer, 3);
      }
    }
  });

  it('share one buffer when they are small, and use large ones again', () => {
    const packer = new PiecePacker();
    for (let id = 0; id < 5; id++) packer.add(id, new Uint8Array(1000).fill(id), [1000], true);
    const small = cross(packer);
    expect(small.large).toEqual([]);
    expect(small.small.byteLength).toBe(5000);
    const spare = new ArrayBuffer(PIECE_BUFFER);
    packer.recycle(spare, 1);
    packer.recycle(new ArrayBuffer(PIECE_BUFFER), 1);
    packer.add(1, new Uint8Array(200 << 10), [], true);
    packer.add(2, new Uint8Array(200 << 10), [], true);
    const packed = packer.take();
    expect(packed?.message.large[0]).toBe(spare);
    expect(packed?.message.large[1]?.byteLength).toBe(PIECE_BUFFER);
  });
});
