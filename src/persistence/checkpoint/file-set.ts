/**
 * Which checkpoint files a partition has, and which of them still matter. Every change is in the manifest, durably,
 * before a file is removed.
 *
 * Where old data is archived, memory and files must not lose a sample before the archive has it. Two times decide:
 *
 *   archivedTo    everything before it is archived (archive/job/state.ts), or was when the archive began
 *   freedTo       memory may lack what is before it: retention, the memory cap or a start have left it out
 *
 * A full checkpoint holds what memory holds. A file that it replaces is kept for the archive when it has samples between
 * the two; and to have few of those, files are not joined as long as such a stretch exists, unless there are very many.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { leaveToOthers, setAside } from '../damaged-files.js';
import { removeFile } from '../files.js';
import { checkpointName, listCheckpoints } from '../layout.js';
import type { Loaded } from '../load.js';
import { type CheckpointFile, type KeptFile, type Manifest, writeManifest } from './manifest.js';

/** With so many files the next checkpoint is a full one, which replaces them all. */
const MAX_FILES = 24;
/** With so many files it is one even if some of them wait for the archive. */
const MAX_WAITING = 256;

export class FileSet {
  readonly #directory: string;
  readonly #partition: { index: number; count: number };
  #manifest: Manifest;
  #next: number;
  /** Damaged files that may go as soon as a checkpoint holds what was good of them. */
  #aside: string[];
  /** Files that are of no more use here once there is such a checkpoint, but to other partitions. */
  #foreign: string[];
  #archivedTo: number | undefined;
  #freedTo: number;
  #pins = 0;
  /** Names of files that the manifest does not name yet. */
  #writing = new Set<string>();

  /**
   * @param partition whose files they are. @param archivedTo undefined: data is not archived but deleted when it is old.
   * @param freedTo unix seconds: older samples were not loaded.
   */
  constructor(
    directory: string,
    partition: { index: number; count: number },
    loaded: Loaded,
    archivedTo: number | undefined,
    freedTo: number,
  ) {
    this.#directory = directory;
    this.#partition = partition;
    this.#manifest = loaded.manifest;
    this.#next = loaded.nextCheckpoint;
    this.#aside = loaded.aside;
    this.#foreign = loaded.foreign;
    this.#archivedTo = archivedTo;
    this.#freedTo = freedTo;
    this.#removeUnnamed();
  }

  get count(): number {
    return this.#manifest.files.length;
  }

  /** Whether what leaves memory must be in a file before. */
  get archives(): boolean {
    return this.#archivedTo !== undefined;
  }

  /** Memory may lack what is older, unix seconds. */
  get freedTo(): number {
    return this.#freedTo;
  }

  /** Name of the next checkpoint file. */
  takeName(): string {
    const name = checkpointName(this.#next++);
    this.#writing.add(name);
    return name;
  }

  /** Whether the next checkpoint should join all files. */
  get wantJoining(): boolean {
    const { files } = this.#manifest;
    return files.length >= MAX_WAITING || (files.length >= MAX_FILES && !files.some((file) => this.#isWaiting(file)));
  }

  #isWaiting(file: CheckpointFile): boolean {
    return this.#archivedTo !== undefined && file.to > this.#archivedTo && file.from < this.#freedTo;
  }

  /** Memory has given up what ends before `to`. */
  freed(to: number): void {
    this.#freedTo = Math.max(this.#freedTo, to);
  }

  /**
   * Makes a checkpoint the current one. @param fresh none: there was nothing to write, or it is of another layout.
   * @param full it holds everything that memory holds. @param firstSegment log segments below it are covered.
   * @param lastSegment the newest segment, which the next start misses if it is gone.
   * @throws the file system's error; nothing has changed then.
   */
  commit(
    fresh: CheckpointFile[],
    full: boolean,
    firstSegment: number,
    lastSegment?: { number: number; begun: number },
  ): void {
    const { files, kept = [] } = this.#manifest;
    const isReplaced = ({ open }: CheckpointFile): boolean => full || open === true;
    const waiting = files
      .filter((old) => isReplaced(old) && this.#isWaiting(old))
      .map((old): KeptFile => ({ ...old, until: this.#freedTo }));
    const rest = files.filter((old) => !isReplaced(old));
    this.#replace({ files: [...rest, ...fresh], firstSegment, lastSegment, kept: [...kept, ...waiting] });
    this.#writing.clear();
  }

  /** Removes what a checkpoint has replaced, and renames what was damaged or is not its own. @returns a line about each of these. */
  tidy(): string[] {
    const aside = this.#aside.filter(existsSync).map(setAside);
    const foreign = this.#foreign.filter(existsSync).map(leaveToOthers);
    this.#aside = [];
    this.#foreign = [];
    this.#removeUnnamed();
    return [
      ...aside.map((path) => `${path}: set aside; what was good of it is kept`),
      ...foreign.map((path) => `${path}: kept for the next start, which loads what is of other partitions`),
    ];
  }

  /** Removes files whose samples all end before `to`. Where data is archived, all of that is. @returns their number. */
  drop(to: number): number {
    if (this.#archivedTo !== undefined) this.#archivedTo = Math.max(this.#archivedTo, to);
    const { files, kept = [], firstSegment, lastSegment } = this.#manifest;
    const stays = files.filter((file) => file.to > to);
    const staysKept = kept.filter((file) => file.to > to && file.until > to);
    const dropped = files.length - stays.length + kept.length - staysKept.length;
    if (dropped) {
      this.#replace({ files: stays, firstSegment, lastSegment, kept: staysKept });
      this.#removeUnnamed();
    }
    return dropped;
  }

  #replace({
    files,
    firstSegment,
    lastSegment,
    kept,
  }: Pick<Manifest, 'files' | 'firstSegment'> & {
    lastSegment: Manifest['lastSegment'] | undefined;
    kept: KeptFile[];
  }): void {
    const manifest: Manifest = {
      version: 1,
      partition: this.#partition,
      files,
      firstSegment,
      ...(lastSegment && { lastSegment }),
      ...(kept.length && { kept }),
    };
    writeManifest(this.#directory, manifest);
    this.#manifest = manifest;
  }

  /** Keeps all files, because somebody reads them, until `unpin` has been called as often. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    this.#removeUnnamed();
  }

  /** Removes checkpoint files that the manifest does not name: unfinished ones, or replaced ones. */
  #removeUnnamed(): void {
    if (this.#pins) return;
    const { files, kept = [] } = this.#manifest;
    const named = new Set([...files, ...kept].map(({ name }) => join(this.#directory, name)));
    for (const path of [...this.#aside, ...this.#foreign]) named.add(path);
    for (const { name } of listCheckpoints(this.#directory)) {
      const path = join(this.#directory, name);
      if (!this.#writing.has(name) && !named.has(path)) removeFile(path);
    }
  }
}
