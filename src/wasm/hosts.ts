/** Reads what the core lists hosts in; the layout is drawn in assembly/answer/hosts.ts. */
import { HostField } from './tables/layouts.js';

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

const decoder = new TextDecoder();

/** @param bytes a view of linear memory; nothing of it is kept. */
export function decodeHosts(bytes: Uint8Array): HostPart[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hosts: HostPart[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + HostField.Name + view.getUint16(at + HostField.NameLength, true);
    hosts.push({
      cluster: view.getUint32(at + HostField.Cluster, true),
      series: view.getUint32(at + HostField.Series, true),
      oldest: view.getFloat64(at + HostField.Oldest, true),
      newest: view.getFloat64(at + HostField.Newest, true),
      frequency: view.getInt32(at + HostField.Frequency, true),
      name: decoder.decode(bytes.subarray(at + HostField.Name, end)),
    });
    at = end;
  }
  return hosts;
}
