/** What a node has: its levels by kind, and the metrics of each, from GET /api/debug. */

/** Levels of one kind below a node: sockets, hardware threads, GPUs. */
export interface LevelKind {
  /** `hwthread`, `socket`, `accelerator`. */
  type: string;
  /** As the tag `type-id` has them, in order. */
  ids: string[];
  metrics: string[];
}

export interface NodeTree {
  /** Measured at the node itself. */
  metrics: string[];
  kinds: LevelKind[];
}

/** Types that are known although their ids may begin with a letter or hold digits in front. */
const TYPES = ['memoryDomain', 'accelerator', 'hwthread', 'socket', 'core', 'cpu', 'die', 'llc'];

/** The name of a level, cut into type and id; by the first digit where the type is not known. Undefined: it has no id. */
export function splitLevel(name: string): { type: string; id: string } | undefined {
  const type =
    TYPES.find((known) => name.startsWith(known) && name.length > known.length) ?? /^\D+(?=\d)/.exec(name)?.[0];
  return type === undefined ? undefined : { type, id: name.slice(type.length) };
}

/** @param data the answer's `data`: levels are objects, metrics lists. */
export function readNodeTree(data: Readonly<Record<string, unknown>>): NodeTree {
  const tree: NodeTree = { metrics: [], kinds: [] };
  for (const [name, value] of Object.entries(data)) {
    if (Array.isArray(value)) {
      tree.metrics.push(name);
      continue;
    }
    const level = splitLevel(name);
    if (level === undefined || typeof value !== 'object' || value === null) continue;
    let kind = tree.kinds.find(({ type }) => type === level.type);
    if (kind === undefined) {
      kind = { type: level.type, ids: [], metrics: [] };
      tree.kinds.push(kind);
    }
    kind.ids.push(level.id);
    for (const [metric, spans] of Object.entries(value)) {
      if (Array.isArray(spans) && !kind.metrics.includes(metric)) kind.metrics.push(metric);
    }
  }
  for (const { ids } of tree.kinds) {
    const areNumbers = ids.every((id) => /^\d+$/.test(id));
    ids.sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1));
  }
  return tree;
}

/** All metrics of the node, at whatever level. */
export function metricsOf({ metrics, kinds }: NodeTree): string[] {
  return [...new Set([...metrics, ...kinds.flatMap((kind) => kind.metrics)])];
}
