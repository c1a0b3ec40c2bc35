/**
 * The frame around what log segments and checkpoint files hold.
 *
 *   0        4          8                 12        16
 *   ┌────────┬──────────┬─────────────────┬─────────┬─────────┐
 *   │ magic  │ length n │ CRC-32C of rest │ version │ n bytes │    CRC over version and payload
 *   └────────┴──────────┴─────────────────┴─────────┴─────────┘
 */
import { FrameMagic } from '../../src/wasm/tables/codes';
import { FrameField } from '../../src/wasm/tables/layouts';
import { crc32c } from '../memory/crc32c';

/** Of all frames that are written, and the only one that is read. */
export const FRAME_VERSION: u32 = 1;

@unmanaged
export class Frame {
  magic: u32;
  /** Bytes of the payload. */
  length: u32;
  crc: u32;
  version: u32;

  /** Address of the payload. */
  get payload(): usize {
    return changetype<usize>(this) + FrameField.Payload;
  }

  /** What the checksum should be. */
  checksum(): u32 {
    return crc32c(0, changetype<usize>(this) + FrameField.Version, <i32>this.length + (FrameField.Payload - FrameField.Version));
  }

  /** Fills the header in front of a payload of n bytes. */
  seal(magic: FrameMagic, n: u32): void {
    this.magic = magic;
    this.length = n;
    this.version = FRAME_VERSION;
    this.crc = this.checksum();
  }
}

if (
  offsetof<Frame>('magic') != FrameField.Magic ||
  offsetof<Frame>('length') != FrameField.Length ||
  offsetof<Frame>('crc') != FrameField.Crc ||
  offsetof<Frame>('version') != FrameField.Version ||
  offsetof<Frame>() != FrameField.Payload
) {
  ERROR('layouts.ts has another layout of frames');
}
