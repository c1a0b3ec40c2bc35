/** Cores for tests: made from dist/, fed with text, logs and checkpoints held in memory, asked as the workers ask them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricConfig } from '../../src/config/config.js';
import type { QueryRequest, SeriesQuery } from '../../src/store/store.js';
import { Core } from '../../src/wasm/core.js';
import { encodeRequest } from '../../src/wasm/request.js';
import type { ExportedSeries } from '../../src/wasm/series.js';
import { CheckpointContent, FrameMagic } from '../../src/wasm/tables/codes.js';
import type { Series } from './client.js';

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

/** Metrics with these frequencies, neither added up nor averaged. */
export function metrics(...list: [name: string, frequency: number][]): Map<string, MetricConfig> {
  return new Map(list.map(([name, frequency]) => [name, metric(frequency)]));
}

/** An empty core that does not log yet. */
export function newCore(
  metrics: ReadonlyMap<string, MetricConfig>,
  { index = 0, partitions = 1, module = coreModule() } = {},
): Core {
  return new Core(module, metrics, index, partitions);
}

/** A core that logs, as one that has been loaded. */
export function startCore(
  metrics: ReadonlyMap<string, MetricConfig>,
  options: Parameters<typeof newCore>[1] = {},
): Core {
  const core = newCore(metrics, options);
  core.writes.logStartSegment();
  return core;
}

/** A line of a node's own series in cluster `c`. */
export function line(metric: string, host: string, time: number, value: number): string {
  return `${metric},cluster=c,hostname=${host},type=node value=${value} ${time}\n`;
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

/** Runs `onFrame` for the whole frames of a file's content. @returns the stretches that are none. */
export function scan(
  core: Core,
  magic: number,
  bytes: Uint8Array,
  onFrame: (payload: number, length: number) => void,
): [offset: number, length: number][] {
  const gaps: [number, number][] = [];
  core.files.scanFrames(
    magic,
    4096,
    (into, offset) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    onFrame,
    (offset, length) => gaps.push([offset, length]),
    bytes.length,
  );
  return gaps;
}

function expectWhole(gaps: [offset: number, length: number][]): void {
  for (const [offset, length] of gaps) throw new Error(`${length} bytes at ${offset} are no frame`);
}

/** Replays one log segment. @throws when there is anything in it that makes no sense. */
export function replay(core: Core, segment: Uint8Array, since = 0): void {
  core.files.replayBegin();
  const gaps = scan(core, FrameMagic.Log, segment, (p, n) => {
    if (!core.files.replayFrame(p, n, since).sound) throw new Error('a frame made no sense');
  });
  expectWhole(gaps);
}

/** Loads checkpoint files, oldest first. @throws when there is anything in them that makes no sense. */
export function load(core: Core, files: Uint8Array[], since = 0): void {
  for (const file of files) {
    const gaps = scan(core, FrameMagic.Checkpoint, file, (p, n) => {
      if (core.files.checkpointLoad(p, n, since, false).unsound) throw new Error('a block was unsound');
    });
    expectWhole(gaps);
  }
  core.files.checkpointLoadEnd();
}

/** What a start does: a core with what the files and segments hold that makes sense, which then logs. */
export function restart(core: Core, files: Uint8Array[], segments: Uint8Array[] = [], since = 0): Core {
  for (const file of files) {
    scan(core, FrameMagic.Checkpoint, file, (p, n) => core.files.checkpointLoad(p, n, since, false));
  }
  core.files.checkpointLoadEnd();
  for (const segment of segments) {
    core.files.replayBegin();
    scan(core, FrameMagic.Log, segment, (p, n) => core.files.replayFrame(p, n, since));
  }
  core.files.loadEnd();
  core.writes.logStartSegment();
  return core;
}

/** Makes a checkpoint, as one file. @param between called between its steps: what workers do meanwhile. */
export function checkpoint(core: Core, full: boolean, budget = 4096, between: () => void = () => {}): Uint8Array {
  const write = (part: CheckpointContent): Uint8Array => {
    const frames: Uint8Array[] = [];
    core.files.checkpointBegin();
    for (let cursor = 0; cursor >= 0; ) {
      const { bytes, next } = core.files.checkpointStep(cursor, budget, part);
      frames.push(bytes.slice());
      cursor = next;
      between();
    }
    return Buffer.concat(frames);
  };
  if (full) return write(CheckpointContent.Full);
  const open = write(CheckpointContent.Open);
  return Buffer.concat([write(CheckpointContent.Sealed), open]);
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

/** Names a series. @param levels cluster, host, level, sublevel. */
export function keyOf(levels: string[], metric: string): string {
  return JSON.stringify([...levels, metric]);
}

/** All samples of a core: `metric host/level.. middle of the bin` → value. */
export function samples(core: Core): Map<string, number> {
  const all = new Map<string, number>();
  for (let number = 0; number < core.series.end; number++) {
    const series = core.series.exportRun(number, 0, Number.MAX_SAFE_INTEGER);
    if (!series) continue;
    const name = `${series.metric} ${series.levels.slice(1).join('/')}`;
    for (const [i, value] of series.values.entries()) {
      if (!Number.isNaN(value)) all.set(`${name} ${series.start + i * series.frequency}`, value);
    }
  }
  return all;
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
): Series[][] {
  return JSON.parse(askText(core, range, queries, budget)) as Series[][];
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
