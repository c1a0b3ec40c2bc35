/** The part of the WebAssembly API that is used: Node's types leave it to the DOM library, which a server has no use for. */
declare namespace WebAssembly {
  type ExportValue = Global | Memory | ((...args: number[]) => number);
  class Module {
    constructor(bytes: BufferSource);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function instantiate(
    bytes: BufferSource,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ instance: { exports: unknown } }>;
  class Global {
    value: number;
  }
}
type BufferSource = ArrayBufferView | ArrayBuffer;
