/**
 * What a leaf of a PromQL expression asks, as src/wasm/leaf.ts encodes it, and which series it means.
 *
 *   0       8      16      24      32      40         48          56     64      68         72            76
 *   ┌───────┬──────┬───────┬───────┬───────┬──────────┬───────────┬──────┬───────┬──────────┬─────────────┬──────────┐
 *   │ start │ step │ shift │ fixed │ range │ lookback │ parameter │ room │ count │ function │ aggregation │ grouping │
 *   └───────┴──────┴───────┴───────┴───────┴──────────┴───────────┴──────┴───────┴──────────┴─────────────┴──────────┘
 *   80         84       88
 *   ┌──────────┬────────┬──────────────────┬────────────────────────────────────────────────┐
 *   │ adaptive │ depths │ metrics: `Names` │ clusters, hosts, levels, sub-levels            │
 *   └──────────┴────────┴──────────────────┴────────────────────────────────────────────────┘
 *   each:  ┌────────────────────┬─────────────────┐
 *          │ LevelFilter, u8    │ names: `Names`  │
 *          └────────────────────┴─────────────────┘
 *
 * f64 up to `room`, u32 after it. Times are milliseconds, unix time where they are points. For `LeafFunction.Series` the series are
 * meant that have samples from `start` to `range`.
 */
import { LevelFilter } from '../../src/wasm/tables/codes';
import { LeafField } from '../../src/wasm/tables/layouts';
import { bytesEqual, hashBytes } from '../memory/bytes';
import { Names } from '../memory/name';
import { Metric, metricFind } from '../series/metrics';
import { Node } from '../series/records';
import { seriesFind } from '../series/series';
import { nodeFind, root } from '../series/tree';
import { KeptLists } from './kept-lists';
import { selection, selectList, selectNone, selectSeries } from './select';

@unmanaged
export class LeafRequest {
  start: f64;
  step: f64;
  shift: f64;
  /** NaN: each step looks at its own time. */
  fixed: f64;
  range: f64;
  lookback: f64;
  /** Of predict_linear: seconds ahead. */
  parameter: f64;
  /** Bytes that rows may take. */
  room: f64;
  /** Steps. */
  count: i32;
  /** A `LeafFunction`. */
  fn: i32;
  /** A `LeafAggregation`. */
  aggregation: i32;
  /** Bits of `LeafGrouping`. */
  grouping: u32;
  adaptive: u32;
  depths: u32;

  get metrics(): Names {
    return changetype<Names>(changetype<usize>(this) + offsetof<LeafRequest>());
  }
  /** Unix milliseconds that a step looks at. */
  timeOf(step: i32): i64 {
    return this.fixed == this.fixed ? <i64>this.fixed : <i64>this.start + <i64>step * <i64>this.step + <i64>this.shift;
  }
}

if (
  offsetof<LeafRequest>('start') != LeafField.Start ||
  offsetof<LeafRequest>('step') != LeafField.Step ||
  offsetof<LeafRequest>('shift') != LeafField.Shift ||
  offsetof<LeafRequest>('fixed') != LeafField.Fixed ||
  offsetof<LeafRequest>('range') != LeafField.Range ||
  offsetof<LeafRequest>('lookback') != LeafField.Lookback ||
  offsetof<LeafRequest>('parameter') != LeafField.Parameter ||
  offsetof<LeafRequest>('room') != LeafField.Room ||
  offsetof<LeafRequest>('count') != LeafField.Count ||
  offsetof<LeafRequest>('fn') != LeafField.Function ||
  offsetof<LeafRequest>('aggregation') != LeafField.Aggregation ||
  offsetof<LeafRequest>('grouping') != LeafField.Grouping ||
  offsetof<LeafRequest>('adaptive') != LeafField.Adaptive ||
  offsetof<LeafRequest>('depths') != LeafField.Depths ||
  offsetof<LeafRequest>() != LeafField.Header
) {
  ERROR('layouts.ts has another layout of requests of leaves');
}

/** Which names of one level are taken. */
@unmanaged
class Filter {
  private kind: u8;

  get names(): Names {
    return changetype<Names>(changetype<usize>(this) + 1);
  }
  get next(): Filter {
    return changetype<Filter>(this.names.end);
  }
  get isList(): bool {
    return this.kind == <u8>LevelFilter.Only;
  }
  /** Whether a filter that is no list takes the node. */
  takes(node: Node): bool {
    if (this.kind == <u8>LevelFilter.Any) return true;
    let name = this.names.first;
    for (let i = this.names.count; i > 0; i--) {
      if (name.length == node.nameLength && bytesEqual(name.text, node.name, name.length)) return false;
      name = name.next;
    }
    return true;
  }
}

/** Above this many metrics a node's series are looked through instead of being looked up. */
const FEW_METRICS: i32 = 8;
const DEEPEST: u32 = 4;

const keptLists = changetype<KeptLists>(memory.data(offsetof<KeptLists>(), 8));

/**
 * Selects the series of a request in the order of the tree, or of the names where they are listed. There may be empty ones among them: these
 * can get samples while the list is kept. @param length bytes of the request. False when memory is exhausted.
 */
export function selectLeaf(request: LeafRequest, length: u32): bool {
  selectNone(null);
  // What says which series are meant stands at the end of the request.
  const key = changetype<usize>(request) + offsetof<LeafRequest>('depths');
  const keyLength = <i32>length - <i32>offsetof<LeafRequest>('depths');
  const hash = hashBytes(0, key, keyLength);
  const known = keptLists.find(hash, key, keyLength);
  if (known) return selectList(known.list, known.count);
  if (!visit(root, changetype<Filter>(request.metrics.end), request)) return false;
  keptLists.keep(hash, key, keyLength, selection.list, selection.count);
  return true;
}

/** Takes the children of a node that the filter of their level takes. */
function visit(parent: Node, filter: Filter, request: LeafRequest): bool {
  if (filter.isList) {
    let name = filter.names.first;
    for (let i = filter.names.count; i > 0; i--) {
      const child = nodeFind(parent, name.text, name.length);
      if (child && !take(child, filter, request)) return false;
      name = name.next;
    }
    return true;
  }
  let child = parent.firstChild;
  while (child) {
    if (filter.takes(child) && !take(child, filter, request)) return false;
    child = child.next;
  }
  return true;
}

function take(node: Node, filter: Filter, request: LeafRequest): bool {
  if ((request.depths >> <u32>node.depth) & 1 && !takeSeries(node, request.metrics)) return false;
  return <u32>node.depth == DEEPEST || request.depths >> (<u32>node.depth + 1) == 0 || visit(node, filter.next, request);
}

/** Takes the node's series of the metrics; of all if none are named. */
function takeSeries(node: Node, metrics: Names): bool {
  let name = metrics.first;
  if (metrics.count && metrics.count <= FEW_METRICS) {
    for (let i = metrics.count; i > 0; i--) {
      const metric = metricFind(name.text, name.length);
      const s = metric ? seriesFind(node, metric) : null;
      if (s && !selectSeries(s)) return false;
      name = name.next;
    }
    return true;
  }
  let s = node.firstSeries;
  while (s) {
    if ((!metrics.count || isNamed(s.metric, metrics)) && !selectSeries(s)) return false;
    s = s.nextInNode;
  }
  return true;
}

function isNamed(metric: Metric, metrics: Names): bool {
  let name = metrics.first;
  for (let i = metrics.count; i > 0; i--) {
    if (name.length == metric.nameLength && bytesEqual(name.text, metric.name, name.length)) return true;
    name = name.next;
  }
  return false;
}
