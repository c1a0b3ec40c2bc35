/** GET /api/status: what the server is doing at this moment, for its page and for whoever watches it. */
import type { PartitionStats, RefusalFigures } from '../../store/store.js';
import { JSON_TYPE, sendJson } from '../answer.js';
import type { HttpContext, Route } from '../route.js';
import { sharedFor } from '../shared.js';

/** Counting looks at every series. Many pages that look at once share one count of the last seconds. */
const SHARED_MS = 5_000;

interface Count {
  /** Unix seconds at which the figures were true. */
  counted: number;
  partitions: readonly PartitionStats[];
  clusters: readonly string[];
}

/** Without what only programs ask for; times in unix seconds, sizes in bytes, counters since start. */
function statusOf(context: HttpContext, { counted, partitions, clusters }: Count) {
  const sum = (figure: (partition: PartitionStats) => number): number =>
    partitions.reduce((total, partition) => total + figure(partition), 0);
  return {
    version: context.version,
    commit: context.commit,
    state: context.store.state,
    time: Date.now() / 1000,
    counted,
    started: context.startedAt / 1000,
    clusters,
    hosts: sum((p) => p.hosts),
    series: sum((p) => p.series),
    samples: sum((p) => p.samples),
    lines: {
      read: sum((p) => p.lines),
      stored: sum((p) => p.stored),
      skipped: sum((p) => p.skipped),
      refused: sum((p) => p.refused),
    },
    memory: {
      used: sum((p) => p.memory.total),
      cap: context.config.store.memoryCapBytes,
      resident: process.memoryUsage.rss(),
    },
    partitions: partitions.map(
      ({ partition, worker, series, hosts, samples, memory, linearMemory, log, checkpoint }) => ({
        partition,
        worker,
        series,
        hosts,
        samples,
        memory,
        linearMemory,
        log,
        checkpoint,
      }),
    ),
    refusals: refusalsOf(partitions),
    nats: context.nats?.() ?? null,
  };
}

/** Of the reasons that there were, most first, with the newest example of all partitions. */
function refusalsOf(partitions: readonly PartitionStats[]): RefusalFigures[] {
  const reasons = new Map<string, RefusalFigures>();
  for (const figures of partitions.flatMap((partition) => partition.refusals)) {
    const known = reasons.get(figures.reason);
    if (known === undefined) {
      reasons.set(figures.reason, { ...figures });
      continue;
    }
    known.count += figures.count;
    const { example } = figures;
    if (example !== undefined && example.time > (known.example?.time ?? 0)) known.example = example;
  }
  return [...reasons.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}

export function statusRoute(context: HttpContext): Route {
  const { store } = context;
  const count = sharedFor(SHARED_MS, async (): Promise<Count> => {
    const [partitions, clusters] = await Promise.all([store.stats(), store.clusters()]);
    return { counted: Date.now() / 1000, partitions, clusters };
  });
  // What cannot be counted yet is answered as nothing: the state says why.
  const nothing = (): Count => ({ counted: Date.now() / 1000, partitions: [], clusters: [] });
  return {
    path: '/api/status',
    access: 'bearer',
    operations: {
      GET: {
        async handle(exchange) {
          sendJson(exchange, 200, statusOf(context, store.state === 'ready' ? await count('') : nothing()));
        },
        document: {
          summary: 'What the server is doing',
          description:
            'Version, state, clusters, counts, lines by fate, memory, partitions with log and checkpoint, NATS. Figures are at most 5 s old; while the server loads there are none.',
          responses: { 200: { description: 'figures; sizes in bytes, times in unix seconds', type: JSON_TYPE } },
        },
      },
    },
  };
}
