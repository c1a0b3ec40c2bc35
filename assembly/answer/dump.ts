/**
 * The tree below a node as JSON, in steps: levels are objects, metrics are lists of the spans of bins that are held.
 *
 *   {"hwthread0":{"ipc":[{"start":1699999950,"len":128,"end":1700007630}]},"cpu_load":[...]}
 */
import { AnswerStep } from '../../src/wasm/tables/codes';
import { out } from '../memory/out';
import { printI64, printString } from '../text/print';
import { Node, Series } from '../series/records';
import { nodeFind, root, tree } from '../series/tree';

/** The node named by a selector, to start a dump at; null: there is none. The root for an empty selector. */
export function dumpFind(names: usize, count: i32): Node | null {
  let node: Node | null = root;
  let p = names;
  for (let i = 0; i < count && node; i++) {
    node = nodeFind(node, p + 2, <i32>load<u16>(p));
    p += 2 + <usize>load<u16>(p);
  }
  return node;
}

@unmanaged
class Dump {
  top: Node;
  /** Node that the last step stopped before. */
  at: Node;
  /** `tree.version` at the start. */
  version: u32;
  /** Whether something stands in front of it in its object. */
  comma: bool;
}

const dump = changetype<Dump>(memory.data(offsetof<Dump>(), 8));

/** Starts a dump; one at a time. */
export function dumpBegin(node: Node): void {
  dump.at = node;
  dump.top = node;
  dump.comma = false;
  dump.version = tree.version;
}

/**
 * Writes until the output holds `budget` bytes.
 */
export function dumpStep(budget: u32): AnswerStep {
  if (dump.version != tree.version) return AnswerStep.TreeChanged;
  while (out.length < budget) {
    const node = dump.at;
    if (!out.ensure(6 * node.nameLength + 64)) return AnswerStep.OutOfMemory;
    if (node != dump.top) {
      if (dump.comma) out.putChar(0x2c);
      out.end = printString(out.end, node.name, node.nameLength);
      out.putChar(0x3a);
    }
    out.putChar(0x7b);
    dump.comma = false;
    let s = node.firstSeries;
    while (s) {
      if (!writeSeries(s)) return AnswerStep.OutOfMemory;
      s = s.nextInNode;
    }
    const child = node.firstChild;
    if (child) {
      dump.at = child;
      continue;
    }
    while (true) {
      if (!out.ensure(64)) return AnswerStep.OutOfMemory;
      out.putChar(0x7d);
      dump.comma = true;
      const closed = dump.at;
      if (closed == dump.top) return AnswerStep.Done;
      const next = closed.next;
      if (next) {
        dump.at = next;
        break;
      }
      dump.at = closed.parent;
    }
  }
  return AnswerStep.More;
}

function writeSeries(s: Series): bool {
  const metric = s.metric;
  if (!out.ensure(6 * metric.nameLength + 64)) return false;
  if (dump.comma) out.putChar(0x2c);
  dump.comma = true;
  out.end = printString(out.end, metric.name, metric.nameLength);
  out.putAscii(':[');
  const blocks = s.blockCount;
  for (let i = 0; i < blocks; i++) {
    const row = s.block(i);
    if (!writeSpan(s, row.start, row.count, i > 0)) return false;
  }
  if (s.openLength && !writeSpan(s, s.openStart, s.openLength, blocks > 0)) return false;
  if (!out.ensure(64)) return false;
  out.putChar(0x5d);
  return true;
}

function writeSpan(s: Series, bin: i32, count: i32, comma: bool): bool {
  if (!out.ensure(160)) return false;
  if (comma) out.putChar(0x2c);
  out.putAscii('{"start":');
  out.end = printI64(out.end, s.timeOf(bin));
  out.putAscii(',"len":');
  out.end = printI64(out.end, count);
  out.putAscii(',"end":');
  out.end = printI64(out.end, s.timeOf(bin + count));
  out.putChar(0x7d);
  return true;
}
