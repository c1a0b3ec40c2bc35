import { Readable } from 'node:stream';
import type {
  Answer,
  AnswerColumn,
  ClusterSummary,
  Contents,
  LeafAnswerPart,
  NodeHealth,
  NodeSpan,
  PartitionStats,
  Precision,
  QueryRequest,
  Store,
  UnconfiguredMetrics,
  WriteOutcome,
} from '../../src/store/store.js';
import { SamplePrinter } from '../../src/wasm/sample-printer.js';
import { coreModule } from '../support/core-driver.js';

export interface Written {
  text: string;
  cluster: string;
  precision: Precision;
}

const NOTHING: WriteOutcome = { stored: 0, skipped: 0, refused: 0, refusals: [] };

/** A store that keeps what it was given and answers what the test puts into its members. */
export class MemoryStore implements Store {
  state: Store['state'] = 'ready';
  secondsToReady = 0;
  readonly written: Written[] = [];
  readonly queried: QueryRequest[] = [];
  /** How often leaves of PromQL were asked for. */
  leaves = 0;
  readonly freed: { to: number; selectors: string[][] }[] = [];
  readonly debugged: string[][] = [];
  /** Bytes that `takeBuffer` was asked for. */
  taken = 0;
  outcome: WriteOutcome | Error = { ...NOTHING };
  pieces: () => Answer | Error | Promise<Answer> = () => Buffer.from('{"results":[]}\n');
  tree: () => Answer | Error = () => Buffer.from('{"data":{}}\n');
  columnPieces: AnswerColumn[][] = [];
  summaries: ClusterSummary[] = [];
  held: Contents[] = [];
  spans: NodeSpan[] = [];
  unknown: UnconfiguredMetrics = { metrics: [], forgotten: 0 };
  healths = new Map<string, NodeHealth>();

  get samplePrinter(): SamplePrinter {
    return new SamplePrinter(coreModule());
  }

  takeBuffer(bytes: number): ArrayBuffer {
    this.taken += bytes;
    // Longer than asked for and full of rubbish, as a recycled one may be.
    const buffer = new ArrayBuffer(bytes + 7);
    new Uint8Array(buffer).fill(0xee);
    return buffer;
  }

  async write(body: ArrayBuffer, length: number, cluster: string, precision: Precision): Promise<WriteOutcome> {
    if (this.outcome instanceof Error) throw this.outcome;
    this.written.push({ text: Buffer.from(body, 0, length).toString(), cluster, precision });
    return this.outcome;
  }

  async sync(): Promise<void> {}

  async query(request: QueryRequest): Promise<Answer> {
    this.queried.push(request);
    const pieces = await this.pieces();
    if (pieces instanceof Error) throw pieces;
    return pieces;
  }

  async columns(request: QueryRequest): Promise<AsyncIterable<AnswerColumn[]>> {
    this.queried.push(request);
    return Readable.from(this.columnPieces);
  }

  async free(to: number, selectors: string[][]): Promise<number> {
    this.freed.push({ to, selectors });
    return selectors.length;
  }

  async debug(selector: string[]): Promise<Answer> {
    this.debugged.push(selector);
    const tree = this.tree();
    if (tree instanceof Error) throw tree;
    return tree;
  }

  async clusters(): Promise<string[]> {
    return this.summaries.map(({ cluster }) => cluster);
  }

  async contents(): Promise<Contents[]> {
    return this.held;
  }

  async units(): Promise<Map<string, string>> {
    return new Map();
  }

  async unconfigured(): Promise<UnconfiguredMetrics> {
    return this.unknown;
  }

  async summary(): Promise<ClusterSummary[]> {
    return this.summaries;
  }

  async nodes(_cluster: string): Promise<NodeSpan[]> {
    return this.spans;
  }

  async health(_cluster: string, nodes: string[], _metrics: string[]): Promise<Map<string, NodeHealth>> {
    const unknown: NodeHealth = { state: 'failed', degraded: [], missing: [], known: false };
    return new Map(nodes.map((node) => [node, this.healths.get(node) ?? unknown]));
  }

  async leaf(): Promise<LeafAnswerPart[]> {
    this.leaves++;
    return [];
  }

  async levelNames(): Promise<string[]> {
    return [];
  }

  async treeChanges(): Promise<string> {
    return '';
  }

  async stats(): Promise<PartitionStats[]> {
    return [];
  }

  async checkpoint(): Promise<void> {}

  async retain(): Promise<number> {
    return 0;
  }

  async stop(): Promise<void> {
    this.state = 'stopping';
  }
}

export async function* piecesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
