/**
 * "for-all-nodes": which hosts a cluster has in this partition, and the queries that asking for all of them makes.
 * Writes to the output buffer, both at once so that they agree: the queries' JSON as the answer echoes it, and the same
 * queries in the request's binary form (read/request.ts).
 */
import { MemoryKind } from '../../src/wasm/tables/codes';
import { alloc } from '../memory/alloc';
import { Name } from '../memory/name';
import { out } from '../memory/out';
import { printString } from '../text/print';
import { Request } from '../read/request';
import { Node } from '../series/records';
import { nodeFind, root } from '../series/tree';
import { Answer, queryBegin } from './answer';

/** u16 count + names. */
@unmanaged
class Metrics {
  count: u16;

  get first(): Name {
    return changetype<Name>(changetype<usize>(this) + offsetof<Metrics>());
  }
}

/** Bytes of a query before its first name. */
const QUERY_HEADER: u32 = 17;

/**
 * Starts answering metrics × hosts, host by host in the order they came. Leaves the queries as JSON in the output, without
 * brackets: the first step may go on behind them.
 * @param request a request without queries, then the metrics: u16 count, names. It stays the caller's.
 * @returns as `queryBegin`; null when memory is exhausted.
 */
export function queryAllBegin(request: Request): Answer | null {
  const top = nodeFind(root, request.cluster.text, request.cluster.length);
  const first = top ? top.firstChild : null;
  const metrics = changetype<Metrics>(request.first);
  const count = writeTexts(first, metrics);
  if (count < 0) return null;
  const texts = out.length;
  if (!writeQueries(first, metrics)) return null;
  const header = <u32>(request.first - changetype<usize>(request));
  const queries = out.length - texts;
  const full = changetype<Request | null>(alloc(header + queries, MemoryKind.Scratch));
  if (!full) return null;
  memory.copy(changetype<usize>(full), changetype<usize>(request), header);
  memory.copy(changetype<usize>(full) + header, out.base + texts, queries);
  full.queries = count;
  out.end = out.base + texts;
  return queryBegin(full);
}

/** Writes the queries of all hosts as JSON. @returns their number; -1 when memory is exhausted. */
function writeTexts(first: Node | null, metrics: Metrics): i32 {
  let count = 0;
  for (let host = first; host; host = host!.next) {
    let metric = metrics.first;
    for (let i = <i32>metrics.count; i > 0; i--) {
      if (!writeText(metric, host, count > 0)) return -1;
      metric = metric.next;
      count++;
    }
  }
  return count;
}

/** Writes the queries of all hosts in binary form. False when memory is exhausted. */
function writeQueries(first: Node | null, metrics: Metrics): bool {
  for (let host = first; host; host = host!.next) {
    let metric = metrics.first;
    for (let i = <i32>metrics.count; i > 0; i--) {
      if (!writeQuery(metric, host)) return false;
      metric = metric.next;
    }
  }
  return true;
}

function writeText(metric: Name, host: Node, comma: bool): bool {
  if (!out.ensure(6 * (metric.length + host.nameLength) + 128)) return false;
  if (comma) out.putChar(0x2c);
  out.putAscii('{"metric":');
  out.end = printString(out.end, metric.text, metric.length);
  out.putAscii(',"host":');
  out.end = printString(out.end, host.name, host.nameLength);
  out.putAscii(',"resolution":0,"aggreg":false}');
  return true;
}

function writeQuery(metric: Name, host: Node): bool {
  if (!out.ensure(QUERY_HEADER + metric.length + host.nameLength + 16)) return false;
  memory.fill(out.end, 0, QUERY_HEADER);
  out.end += QUERY_HEADER;
  out.put(changetype<usize>(metric), <i32>(metric.end - changetype<usize>(metric)));
  store<u16>(out.end, <u16>host.nameLength);
  out.end += 2;
  out.put(host.name, host.nameLength);
  // No type, no ids, no subtype, no sub-ids.
  store<u64>(out.end, 0);
  store<u32>(out.end, 0, 8);
  out.end += 12;
  return true;
}
