/** Reads what the core lists hosts in; the layout is drawn in assembly/answer/hosts.ts. */

/** A host, or a part of it: some of its series. Times are unix seconds. */
export interface HostPart {
  /** Node of the cluster, as `clusters` has it. */
  cluster: number;
  name: string;
  series: number;
  oldest: number;
  newest: number;
  /** Of the series with the newest sample, in seconds. */
  frequency: number;
}

const RECORD = 30;
const decoder = new TextDecoder();

/** @param bytes a view of linear memory; nothing of it is kept. */
export function decodeHosts(bytes: Uint8Array): HostPart[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hosts: HostPart[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + RECORD + view.getUint16(at + 28, true);
    hosts.push({
      cluster: view.getUint32(at, true),
      series: view.getUint32(at + 4, true),
      oldest: view.getFloat64(at + 8, true),
      newest: view.getFloat64(at + 16, true),
      frequency: view.getInt32(at + 24, true),
      name: decoder.decode(bytes.subarray(at + RECORD, end)),
    });
    at = end;
  }
  return hosts;
}
