/**
 * Which names there are at one depth of the tree, in steps over the series by number: regular expressions are matched against
 * names, not against series. A name that its neighbour by number has too is written once; who reads them leaves out the others.
 *
 *   name   ┌────────────┬───────┐
 *          │ u16 length │ bytes │
 *          └────────────┴───────┘
 */
import { SeriesStep } from '../../src/wasm/tables/codes';
import { out } from '../memory/out';
import { Node } from '../series/records';
import { allSeries, nextStep, seriesByNumber } from '../series/series';
import { tree } from '../series/tree';

/**
 * Writes the names that series [from, from + n) by number have at a depth.
 * @returns where to go on, or a `SeriesStep`.
 */
export function levelNamesStep(from: u32, n: u32, depth: i32): f64 {
  const end = min(from + n, allSeries.end);
  let before: Node | null = null;
  for (let i = from; i < end; i++) {
    const s = seriesByNumber(i);
    if (!s || <i32>s.node.depth < depth) continue;
    let node = s.node;
    while (<i32>node.depth > depth) node = node.parent;
    if (node == before) continue;
    before = node;
    if (!out.ensure(2 + node.nameLength)) return <f64>SeriesStep.OutOfMemory;
    store<u16>(out.end, <u16>node.nameLength);
    out.end += 2;
    out.put(node.name, node.nameLength);
  }
  return nextStep(end);
}

/** A number that is another one whenever nodes or series have come or gone. */
export function treeChanges(): f64 {
  return <f64>allSeries.made + <f64>tree.version;
}
