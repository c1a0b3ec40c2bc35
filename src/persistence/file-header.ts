/**
 * The first frame of a log segment or checkpoint file: whose it is, and of a segment which one came before. So a file in another
 * partition's directory is known, and a segment that is gone is missed.
 *
 *   frame (assembly/durable/frame.ts), magic "CCMH"
 *   0           4            8          12           16       24          32          40
 *   ┌───────────┬────────────┬──────────┬────────────┬────────┬───────────┬───────────┬────────────┐
 *   │ partition │ partitions │ number   │ before:    │ begun  │ before:   │ before:   │ before:    │    little-endian
 *   │ u32       │ u32        │ u32      │ number u32 │ f64    │ begun f64 │ bytes f64 │ series u32 │
 *   └───────────┴────────────┴──────────┴────────────┴────────┴───────────┴───────────┴────────────┘
 *
 * Number: of the file's name. Begun: unix seconds. Before: the segment before, all 0: none. Series: that were named in it.
 */
import { readSync } from 'node:fs';
import type { Core } from '../wasm/core.js';
import { FrameMagic } from '../wasm/tables/codes.js';
import { FrameField } from '../wasm/tables/layouts.js';

const PAYLOAD = 44;
/** Bytes of the frame. */
const FILE_HEADER = FrameField.Payload + PAYLOAD;

export interface SegmentBefore {
  number: number;
  /** Unix seconds; 0: unknown. */
  begun: number;
  bytes: number;
  series: number;
}

export interface FileHeader {
  partition: number;
  partitions: number;
  /** Of the file's name. */
  number: number;
  /** Unix seconds. */
  begun: number;
  before: SegmentBefore | undefined;
}

/** Makes a header's frame: a view, valid until the core is called again. @throws StoreError OUT_OF_MEMORY. */
export function headerFrame(core: Core, number: number, begun: number, before?: SegmentBefore): Uint8Array {
  const payload = new Uint8Array(PAYLOAD);
  const view = new DataView(payload.buffer);
  view.setUint32(0, core.index, true);
  view.setUint32(4, core.partitions, true);
  view.setUint32(8, number, true);
  view.setUint32(12, before?.number ?? 0, true);
  view.setFloat64(16, begun, true);
  view.setFloat64(24, before?.begun ?? 0, true);
  view.setFloat64(32, before?.bytes ?? 0, true);
  view.setUint32(40, before?.series ?? 0, true);
  return core.files.frame(FrameMagic.Header, [payload]);
}

function decode(payload: Uint8Array): FileHeader | undefined {
  if (payload.length < PAYLOAD) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const before = view.getUint32(12, true);
  return {
    partition: view.getUint32(0, true),
    partitions: view.getUint32(4, true),
    number: view.getUint32(8, true),
    begun: view.getFloat64(16, true),
    before: before
      ? {
          number: before,
          begun: view.getFloat64(24, true),
          bytes: view.getFloat64(32, true),
          series: view.getUint32(40, true),
        }
      : undefined,
  };
}

/** The first bytes of a file if they look like a header; undefined: it is of an older version, or damaged. */
function readHead(fd: number): Buffer | undefined {
  const head = Buffer.alloc(FILE_HEADER);
  if (readSync(fd, head, 0, FILE_HEADER, 0) < FILE_HEADER) return undefined;
  return head.readUInt32LE(FrameField.Magic) === FrameMagic.Header ? head : undefined;
}

/** Which partition a file seems to be of: its header is not checked. @throws the file system's error. */
export function seemsToBeOf(fd: number): { index: number; count: number } | undefined {
  const header = readHead(fd);
  const found = header && decode(header.subarray(FrameField.Payload));
  return found && { index: found.partition, count: found.partitions };
}

/**
 * Reads the header of a file. @param core to check it. @returns undefined: the file is of an older version, or its header is
 * damaged. @throws the file system's error.
 */
export function readHeader(core: Core, fd: number): { header: FileHeader; bytes: number } | undefined {
  const head = readHead(fd);
  if (!head) return undefined;
  let header: FileHeader | undefined;
  core.files.scanFrames(
    FrameMagic.Header,
    FILE_HEADER,
    (into, offset) => head.copy(into, 0, offset),
    (p, n) => {
      header = decode(core.files.payload(p, n));
    },
    () => {},
    FILE_HEADER,
  );
  return header && { header, bytes: FILE_HEADER };
}
