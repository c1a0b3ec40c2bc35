/** Pieces that cross between threads come out as they went in, whatever their sizes. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type PackedPieces, Packer, unpack } from '../../src/store/query/pack.js';
import type { Piece } from '../../src/store/query/question.js';
import { PIECE, PIECE_BUFFER, SMALL_PIECE } from '../../src/store/query/sizes.js';
import { seeded } from '../support/random.js';

/** What a message is on the other side of a port. */
function cross(packer: Packer): PackedPieces {
  const packed = packer.take();
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(packed, [packed.shared, ...packed.own]);
  const received = receiveMessageOnPort(port2)?.message as PackedPieces;
  port1.close();
  return received;
}

describe('packed pieces', () => {
  it('come out as they went in', () => {
    const random = seeded(11);
    const int = (n: number): number => Math.floor(random() * n);
    const bytesOf = (n: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: n }, () => int(256));
    const sizes = [0, 1, 100, 5000, SMALL_PIECE, SMALL_PIECE + 1, 40_000, 150_000, PIECE, PIECE + 1];
    const size = (): number => int(sizes[int(sizes.length)] as number) || (sizes[int(4)] as number);
    const packer = new Packer();
    for (let round = 0; round < 60; round++) {
      const sent: Piece[] = [];
      for (let i = 1 + int(12); i > 0; i--) {
        const marks = Array.from({ length: int(5) }, () => int(1e6));
        const piece = { bytes: bytesOf(size()), marks, buffer: undefined, done: int(2) === 0 };
        packer.add(piece.bytes, piece.marks, piece.done);
        sent.push(piece);
      }
      const message = cross(packer);
      const received = unpack(message);
      expect(received.length).toBe(sent.length);
      for (const [i, { bytes, buffer, ...rest }] of received.entries()) {
        const { bytes: sentBytes, buffer: _, ...sentRest } = sent[i] as Piece;
        if (buffer) expect([bytes.buffer, bytes.byteOffset]).toEqual([buffer, 0]);
        expect(rest).toEqual(sentRest);
        expect(Buffer.compare(bytes, sentBytes)).toBe(0);
        expect(bytes.byteOffset % 8).toBe(0);
      }
    }
  });

  it('share one buffer when they are small', () => {
    const packer = new Packer();
    for (let id = 0; id < 5; id++) packer.add(new Uint8Array(1000).fill(id), [1000], true);
    const small = cross(packer);
    expect(small.own).toEqual([]);
    expect(small.shared.byteLength).toBe(5000);
  });

  it('go into buffers of earlier ones, dirty as they are, when they fill most of them', () => {
    const packer = new Packer();
    const kept = new Uint8Array(PIECE_BUFFER).fill(0xee).buffer;
    packer.keep([kept]);
    for (const bytes of [SMALL_PIECE + 1, PIECE_BUFFER + 1]) {
      packer.add(new Uint8Array(bytes), [], true);
      expect(unpack(packer.take())[0]?.buffer?.byteLength).toBe(bytes);
    }
    packer.add(new Uint8Array(PIECE).fill(1), [], true);
    const [piece] = unpack(packer.take());
    expect(piece?.buffer).toBe(kept);
    expect(piece?.bytes).toEqual(new Uint8Array(PIECE).fill(1));
    packer.add(new Uint8Array(PIECE), [], true);
    expect(unpack(packer.take())[0]?.buffer?.byteLength).toBe(PIECE_BUFFER);
  });

  it('are forgotten when their question fails', () => {
    const packer = new Packer();
    packer.add(new Uint8Array(100), [], false);
    packer.add(new Uint8Array(200 << 10), [], false);
    packer.drop();
    expect(unpack(packer.take())).toEqual([]);
  });
});
