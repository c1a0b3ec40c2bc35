/** What is found missing when a partition's files are read, as far as the others know of it. */
import type { Manifest } from './checkpoint/manifest.js';
import type { FileHeader } from './file-header.js';
import { segmentName } from './layout.js';

/** A file that is gone, or a part of it. */
export interface Missing {
  /** Name of the file. */
  name: string;
  /** Its end is missing, and not all of it. */
  isPart: boolean;
  /** Unix seconds: when it was written (of a log segment), or the span of its samples. Undefined: that is not known. */
  from: number | undefined;
  to: number | undefined;
  /** Bytes and series that it had; series of a part: at most. */
  bytes: number | undefined;
  series: number | undefined;
}

export interface ReadSegment {
  number: number;
  bytes: number;
  /** Undefined: of an older version, or damaged. */
  header: FileHeader | undefined;
}

/** Segments that are gone: each names the one before it, and the manifest the newest that there was when it was written. */
export function missingSegments({ firstSegment, lastSegment }: Manifest, segments: readonly ReadSegment[]): Missing[] {
  const found = new Map(segments.map((segment) => [segment.number, segment]));
  const missing: Missing[] = [];
  for (const { header } of segments) {
    const before = header?.before;
    // What a checkpoint covers is removed.
    if (!before || before.number < firstSegment) continue;
    const bytes = before.bytes - (found.get(before.number)?.bytes ?? 0);
    if (bytes <= 0) continue;
    missing.push({
      name: segmentName(before.number),
      isPart: found.has(before.number),
      from: before.begun || undefined,
      to: header.begun,
      bytes,
      series: before.series,
    });
  }
  if (lastSegment && lastSegment.number >= firstSegment && !found.has(lastSegment.number)) {
    const name = segmentName(lastSegment.number);
    if (!missing.some((file) => file.name === name)) {
      const from = lastSegment.begun;
      missing.push({ name, isPart: false, from, to: undefined, bytes: undefined, series: undefined });
    }
  }
  return missing;
}

/** One line about it, without its directory. */
export function describeMissing({ name, isPart, from, to, bytes, series }: Missing): string {
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  const span = [from !== undefined && `from ${time(from)}`, to !== undefined && `to ${time(to)}`].filter(Boolean);
  const facts = [
    span.length > 0 && `${name.endsWith('.log') ? 'written' : 'samples'} ${span.join(' ')}`,
    series !== undefined && `${isPart ? 'at most ' : ''}${series} series`,
    bytes !== undefined && `${bytes} bytes`,
  ].filter(Boolean);
  return `${isPart ? `the end of ${name}` : name} is missing: ${facts.join(', ')}`;
}
