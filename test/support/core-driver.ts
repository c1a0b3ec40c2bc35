/** Cores for tests: made from dist/, fed with text, logs and checkpoints held in memory, asked as the workers ask them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricConfig } from '../../src/config/config.js';
import type { QueryRequest, SeriesQuery } from '../../src/store/store.js';
import { FrameMagic } from '../../src/wasm/codes.js';
import { Core } from '../../src/wasm/core.js';
import { encodeRequest } from '../../src/wasm/request.js';
import type { ExportedSeries } from '../../src/wasm/series.js';
import { type Answer, keyOf } from '../core/model.js';

/** A time without meaning that all tests count from: unix seconds, a multiple of 3600. */
export const T0 = 1_699_999_200;

const modules = new Map<string, WebAssembly.Module>();

/** Where the modules lie: `npm run build` puts them into dist/; CCMS_CORE_DIR names another build's directory. */
const CORE_DIR = process.env.CCMS_CORE_DIR ?? join(import.meta.dirname, '../../dist');

/** A built module. @param name core.wasm or core.debug.wasm. */
export function coreModule(name = 'core.wasm'): WebAssembly.Module {
  const known = modules.get(name);
  if (known) return known;
  const module = new WebAssembly.Module(readFileSync(join(CORE_DIR, name)));
  modules.set(name, module);
  return module;
}

export function metric(
  frequency: number,
  aggregation: MetricConfig['aggregation'] = null,
  precision: MetricConfig['precision'] = 'double',
): MetricConfig {
  return { frequency, aggregation, precision };
}

/** A core that logs, as one that has been loaded. */
export function startCore(
  metrics: ReadonlyMap<string, MetricConfig>,
  { index = 0, partitions = 1, module = coreModule() } = {},
): Core {
  const core = new Core(module, metrics, index, partitions);
  core.writes.logStartSegment();
  return core;
}

const encoder = new TextEncoder();

/** Stores lines. @throws when one is refused. */
export function store(core: Core, text: string, cluster = '', now = T0): void {
  const batch = core.writes.ingest(encoder.encode(text), cluster, 0, now);
  if (batch.refused) throw new Error(`${batch.refused} lines were refused: ${JSON.stringify(batch.refusals)}`);
}

/** The log bytes gathered since the last call, a copy. */
export function takeLog(core: Core): Uint8Array {
  const bytes = core.writes.logged().slice();
  core.writes.logTaken();
  return bytes;
}

/** Runs `onFrame` for the whole frames of a file's content. @throws when there is anything else in it. */
function scan(core: Core, magic: number, bytes: Uint8Array, onFrame: (p: number, n: number) => void): void {
  core.files.scanFrames(
    magic,
    4096,
    (into, offset) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    onFrame,
    (offset, length) => {
      throw new Error(`${length} bytes at ${offset} are no frame`);
    },
  );
}

/** Replays one log segment. */
export function replay(core: Core, segment: Uint8Array, since = 0): void {
  core.files.replayBegin();
  scan(core, FrameMagic.Log, segment, (p, n) => {
    if (!core.files.replayFrame(p, n, since).sound) throw new Error('a frame made no sense');
  });
}

/** Loads checkpoint files, oldest first. */
export function load(core: Core, files: Uint8Array[], since = 0): void {
  for (const file of files) {
    scan(core, FrameMagic.Checkpoint, file, (p, n) => {
      if (core.files.checkpointLoad(p, n, since, false).unsound) throw new Error('a block was unsound');
    });
  }
  core.files.checkpointLoadEnd();
}

/** Makes a checkpoint's file. @param between called between its steps: what workers do meanwhile. */
export function checkpoint(core: Core, full: boolean, budget = 4096, between: () => void = () => {}): Uint8Array {
  const parts: Uint8Array[] = [];
  core.files.checkpointBegin();
  for (let cursor = 0; cursor >= 0; ) {
    const { bytes, next } = core.files.checkpointStep(cursor, budget, full);
    parts.push(bytes.slice());
    cursor = next;
    between();
  }
  return Buffer.concat(parts);
}

/** The dump of the tree below a selector. */
export function dumpText(core: Core, selector: string[]): string {
  if (!core.reads.dumpBegin(selector)) throw new Error(`no node ${selector.join('/')}`);
  const parts: Uint8Array[] = [];
  for (let done = false; !done; ) {
    const step = core.reads.dumpStep(1 << 16);
    if (!step) throw new Error('the tree lost nodes');
    parts.push(step.bytes.slice());
    done = step.done;
  }
  return Buffer.concat(parts).toString();
}

/** All bins of all series, by `keyOf`. */
export function exportAll(cores: Core[]): Map<string, ExportedSeries> {
  const all = new Map<string, ExportedSeries>();
  for (const core of cores) {
    for (let i = 0; i < core.series.end; i++) {
      const series = core.series.exportRun(i, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      if (!series) continue;
      const key = keyOf(series.levels, series.metric);
      if (all.has(key)) throw new Error(`${key} is there twice`);
      all.set(key, series);
    }
  }
  return all;
}

export function seriesQuery(query: Partial<SeriesQuery> & Pick<SeriesQuery, 'metric' | 'host'>): SeriesQuery {
  return { typeIds: [], subtypeIds: [], aggregate: false, resolution: 0, scaleBy: 0, ...query };
}

/** Asks for all queries at once. @param budget bytes of a step. */
export function ask(
  core: Core,
  range: Omit<QueryRequest, 'queries'>,
  queries: SeriesQuery[],
  budget = 1 << 16,
): Answer[][] {
  return JSON.parse(askText(core, range, queries, budget)) as Answer[][];
}

/** The same as the bytes that are sent. */
export function askText(
  core: Core,
  range: Omit<QueryRequest, 'queries'>,
  queries: SeriesQuery[],
  budget = 1 << 16,
): string {
  const state = core.reads.queryBegin(encodeRequest({ ...range, queries }, queries));
  const decoder = new TextDecoder();
  let text = '';
  for (let done = false; !done; ) {
    const piece = core.reads.queryStep(state, budget);
    text += decoder.decode(piece.bytes, { stream: true });
    done = piece.done;
  }
  core.reads.queryEnd(state);
  return `[${text.slice(1)}]`;
}
