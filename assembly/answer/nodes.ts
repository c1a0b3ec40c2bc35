/**
 * "for-all-nodes": which hosts a cluster has in this partition, and the queries that asking for all of them makes.
 * Writes to the output buffer, both at once so that they agree: the queries' JSON as the answer echoes it, and the same
 * queries in the request's binary form (query.ts).
 */
import { Kind, alloc } from '../memory/alloc';
import { ensure, advance, outBytes, outEnd, outLength, put, putAscii, putChar } from '../memory/out';
import { printString } from '../text/print';
import { REQUEST_NAME, REQUEST_QUERIES, queryBegin } from '../read/query';
import { Node } from '../series/records';
import { nodeFind, root } from '../series/tree';

/** Bytes of the output that `queryAllBegin` left there: the queries as JSON, without brackets. */
export let expandedText: u32 = 0;
/** Queries made by the last `expand`. */
let expandedCount: u32 = 0;

/**
 * Starts answering metrics × hosts, host by host in the order they came.
 * @param request a request without queries, then the metrics: u16 count, u16 length + bytes each.
 * @returns as `queryBegin`; 0 when memory is exhausted.
 */
export function queryAllBegin(request: usize): usize {
  const cluster = <u32>load<u16>(request, REQUEST_NAME - 2);
  const header = <u32>REQUEST_NAME + cluster;
  if (!expand(request + REQUEST_NAME, cluster, request + header)) return 0;
  const queries = outLength() - expandedText;
  const full = alloc(header + queries, Kind.SCRATCH);
  if (!full) return 0;
  memory.copy(full, request, header);
  memory.copy(full + header, outBytes() + expandedText, queries);
  store<u32>(full, expandedCount, REQUEST_QUERIES);
  return queryBegin(full);
}

/** Writes the queries of all hosts in both forms. False when memory is exhausted. */
function expand(cluster: usize, clusterLength: i32, metrics: usize): bool {
  expandedCount = 0;
  expandedText = 0;
  const top = nodeFind(root, cluster, clusterLength);
  const count = <i32>load<u16>(metrics);
  const first = top ? top.firstChild : null;
  for (let host = first; host; host = host!.next) {
    let m = metrics + 2;
    for (let i = 0; i < count; i++) {
      if (!writeText(m, host, expandedCount > 0)) return false;
      m += 2 + <usize>load<u16>(m);
      expandedCount++;
    }
  }
  expandedText = outLength();
  for (let host = first; host; host = host!.next) {
    let m = metrics + 2;
    for (let i = 0; i < count; i++) {
      if (!writeQuery(m, host)) return false;
      m += 2 + <usize>load<u16>(m);
    }
  }
  return true;
}

function writeText(metric: usize, host: Node, comma: bool): bool {
  const n = <i32>load<u16>(metric);
  if (!ensure(6 * (n + host.nameLength) + 128)) return false;
  if (comma) putChar(0x2c);
  putAscii('{"metric":');
  advance(printString(outEnd, metric + 2, n));
  putAscii(',"host":');
  advance(printString(outEnd, host.name, host.nameLength));
  putAscii(',"resolution":0,"aggreg":false}');
  return true;
}

function writeQuery(metric: usize, host: Node): bool {
  const n = <i32>load<u16>(metric);
  const h = host.nameLength;
  if (!ensure(17 + n + h + 16)) return false;
  memory.fill(outEnd, 0, 17);
  advance(outEnd + 17);
  put(metric, n + 2);
  store<u16>(outEnd, <u16>h);
  advance(outEnd + 2);
  put(host.name, h);
  // No type, no ids, no subtype, no sub-ids.
  store<u64>(outEnd, 0);
  store<u32>(outEnd, 0, 8);
  advance(outEnd + 12);
  return true;
}
