/**
 * The tree below a node as JSON, in steps: levels are objects, metrics are lists of the spans of bins that are held.
 *
 *   {"hwthread0":{"ipc":[{"start":1699999950,"len":128,"end":1700007630}]},"cpu_load":[...]}
 */
import { Entry } from '../series/blocks';
import { metricName, metricNameLength } from '../series/metrics';
import { advance, ensure, outEnd, outLength, putAscii, putChar } from '../memory/out';
import { printI64, printString } from '../text/print';
import {
  blockCountOf,
  openLength,
  openStart,
  seriesAnchor,
  seriesFrequency,
  seriesMetric,
  seriesNextInNode,
} from '../series/series';
import { nodeFirstChild, nodeFirstSeries, nodeName, nodeNameLength, nodeNext, nodeParent, root, nodeFind, treeVersion } from '../series/tree';

/** Set by `dumpFind`: the node named by a selector, to start a dump at; 0: there is none. */
export function dumpFind(names: usize, count: i32): usize {
  let node = root;
  let p = names;
  for (let i = 0; i < count && node; i++) {
    node = nodeFind(node, p + 2, <i32>load<u16>(p));
    p += 2 + <usize>load<u16>(p);
  }
  return node;
}

/** Node that the last step stopped before, and whether something stands in front of it in its object. */
let at: usize = 0;
let top: usize = 0;
let comma: bool = false;
let version: u32 = 0;

/** Starts a dump; one at a time. */
export function dumpBegin(node: usize): void {
  at = node;
  top = node;
  comma = false;
  version = treeVersion;
}

/**
 * Writes until the output holds `budget` bytes.
 * @returns 1: go on, 0: done, -1: memory is exhausted, -2: the tree lost nodes since the last step, start anew.
 */
export function dumpStep(budget: u32): i32 {
  if (version != treeVersion) return -2;
  while (outLength() < budget) {
    if (!ensure(6 * nodeNameLength(at) + 64)) return -1;
    if (at != top) {
      if (comma) putChar(0x2c);
      advance(printString(outEnd, nodeName(at), nodeNameLength(at)));
      putChar(0x3a);
    }
    putChar(0x7b);
    comma = false;
    for (let s = nodeFirstSeries(at); s; s = seriesNextInNode(s)) {
      if (!writeSeries(s)) return -1;
    }
    const child = nodeFirstChild(at);
    if (child) {
      at = child;
      continue;
    }
    while (true) {
      if (!ensure(64)) return -1;
      putChar(0x7d);
      comma = true;
      if (at == top) return 0;
      const next = nodeNext(at);
      if (next) {
        at = next;
        break;
      }
      at = nodeParent(at);
    }
  }
  return 1;
}

function writeSeries(s: usize): bool {
  const metric = seriesMetric(s);
  if (!ensure(6 * metricNameLength(metric) + 64)) return false;
  if (comma) putChar(0x2c);
  comma = true;
  advance(printString(outEnd, metricName(metric), metricNameLength(metric)));
  putAscii(':[');
  const blocks = blockCountOf(s);
  for (let i = 0; i < blocks; i++) {
    const e = Entry.at(s, i);
    if (!writeSpan(s, Entry.start(e), Entry.count(e), i > 0)) return false;
  }
  if (openLength(s) && !writeSpan(s, openStart(s), openLength(s), blocks > 0)) return false;
  if (!ensure(64)) return false;
  putChar(0x5d);
  return true;
}

function writeSpan(s: usize, bin: i32, count: i32, comma: bool): bool {
  if (!ensure(160)) return false;
  const f = <i64>seriesFrequency(s);
  const start = seriesAnchor(s) + <i64>bin * f;
  if (comma) putChar(0x2c);
  putAscii('{"start":');
  advance(printI64(outEnd, start));
  putAscii(',"len":');
  advance(printI64(outEnd, count));
  putAscii(',"end":');
  advance(printI64(outEnd, start + <i64>count * f));
  putChar(0x7d);
  return true;
}
