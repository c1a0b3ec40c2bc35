import { type FileHandle, open } from 'node:fs/promises';

const DEFAULT_CAPACITY = 1 << 18;

/**
 * A window that slides over a file, in order:
 *
 * ```
 *  file    |........|##########################|.............|
 *          0        ^ offset                   ^ read so far  size
 *  buffer           |consumed|  at..end valid  | free        |
 * ```
 *
 * Parsing is synchronous on `bytes` between `at` and `end`; only `fill` reads. The size is taken once at opening: what
 * is appended later is not seen, and no length in the file can make a reader ask for more than the file holds.
 */
export class ByteSource {
  bytes: Buffer;
  view: DataView;
  /** Position in `bytes` of the next byte to parse. */
  at = 0;
  /** End of what is valid in `bytes`. */
  end = 0;
  /** File position of `bytes[end]`. */
  #read = 0;
  #size: number;

  private constructor(
    readonly path: string,
    readonly handle: FileHandle,
    size: number,
    capacity: number,
  ) {
    this.#size = size;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** @param capacity bytes of the window, the most that `fill` can promise; no more than the file has are allocated. */
  static async open(path: string, capacity = DEFAULT_CAPACITY): Promise<ByteSource> {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      return new ByteSource(path, handle, size, Math.min(capacity, size));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes of the file when it was opened, or where it turned out to end if it was cut since. */
  get size(): number {
    return this.#size;
  }

  /** File position of the next byte to parse. */
  get offset(): number {
    return this.#read - (this.end - this.at);
  }

  /** Bytes from the next one to the end of the file. */
  get remaining(): number {
    return this.#size - this.offset;
  }

  /** Bytes that can be parsed without another `fill`. */
  get buffered(): number {
    return this.end - this.at;
  }

  /**
   * Makes at least `count` bytes parseable, as far as the file has them.
   * @param count at most the capacity.
   * @returns whether there are that many. Positions in `bytes` from before the call are void afterwards.
   */
  async fill(count: number): Promise<boolean> {
    if (this.end - this.at >= count) return true;
    if (this.at > 0) {
      this.bytes.copyWithin(0, this.at, this.end);
      this.end -= this.at;
      this.at = 0;
    }
    while (this.end < count && this.#read < this.#size) {
      const want = Math.min(this.bytes.length - this.end, this.#size - this.#read);
      const { bytesRead } = await this.handle.read(this.bytes, this.end, want, this.#read);
      if (bytesRead === 0) this.#size = this.#read;
      this.end += bytesRead;
      this.#read += bytesRead;
    }
    return this.end >= count;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
