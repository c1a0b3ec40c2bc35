import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { ReferenceFormatError, type SeriesRun } from '../../src/persistence/reference/types.js';
import { temporaryDirectory } from '../support/directories.js';

/** Files that the reference wrote from `input.lp.gz`. */
export const DATA = fileURLToPath(new URL('../data/reference/', import.meta.url));

/** Series name (host/levels/metric) -> time -> value, as the reference was given them. */
export type Samples = Map<string, Map<number, number>>;

export function seriesName(host: string, levels: readonly string[], metric: string): string {
  return [host, ...levels, metric].join('/');
}

export function put(samples: Samples, name: string, time: number, value: number): void {
  const series = samples.get(name) ?? new Map<number, number>();
  samples.set(name, series.set(time, value));
}

export function inputSamples(): Samples {
  const samples: Samples = new Map();
  const lines = gunzipSync(readFileSync(join(DATA, 'input.lp.gz')))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  for (const line of lines) {
    const [key, value, time] = line.split(' ') as [string, string, string];
    const [metric, ...pairs] = key.split(',') as [string, ...string[]];
    const tags = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    const type = tags.get('type');
    const levels = type === 'node' ? [] : [`${type}${tags.get('type-id')}`];
    put(samples, seriesName(tags.get('hostname') as string, levels, metric), Number(time), Number(value.slice(6)));
  }
  return samples;
}

/** The samples of runs, bins placed by `start`; missing ones left out. */
export function samplesOf(runs: Iterable<SeriesRun>): Samples {
  const samples: Samples = new Map();
  for (const run of runs) {
    const name = seriesName(run.host, run.levels, run.metric);
    run.values.forEach((value, k) => {
      if (!Number.isNaN(value)) put(samples, name, run.start + k * run.frequency, value);
    });
  }
  return samples;
}

export function mapValues(samples: Samples, change: (value: number) => number): Samples {
  const changed = [...samples].map(
    ([name, series]) => [name, new Map([...series].map(([time, value]) => [time, change(value)]))] as const,
  );
  return new Map(changed);
}

/** Everything a reader hands out, and the format error it ended with, if it did. Other errors pass. */
export async function drain<T>(iterable: AsyncIterable<T>): Promise<{ items: T[]; error?: ReferenceFormatError }> {
  const items: T[] = [];
  try {
    for await (const item of iterable) items.push(item);
  } catch (error) {
    if (!(error instanceof ReferenceFormatError)) throw error;
    return { items, error };
  }
  return { items };
}

/** A temporary directory to write files into. */
export class Scratch {
  readonly path = temporaryDirectory();

  /** Writes a file, with the directories above it, and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }
}
