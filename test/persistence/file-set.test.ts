import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileSet } from '../../src/persistence/checkpoint/file-set.js';
import { type CheckpointFile, readManifest } from '../../src/persistence/checkpoint/manifest.js';
import { temporaryDirectory } from '../support/directories.js';

function fileSet(archivedTo: number | undefined, freedTo: number, aside: string[] = []) {
  const directory = temporaryDirectory();
  const loaded = {
    manifest: { version: 1 as const, files: [], firstSegment: 1 },
    segments: [],
    nextSegment: 1,
    nextCheckpoint: 1,
    damaged: false,
    aside: aside.map((name) => join(directory, name)),
    foreign: [],
    samples: 0,
    missing: [],
    read: { files: 0, bytes: 0 },
  };
  for (const name of aside) writeFileSync(join(directory, name), 'damaged');
  const files = new FileSet(directory, { index: 0, count: 1 }, loaded, archivedTo, freedTo);
  /** Makes a checkpoint with samples of [from, to). */
  const checkpoint = (from: number, to: number, full = false): void => {
    const file: CheckpointFile = { name: files.takeName(), bytes: 1, from, to };
    writeFileSync(join(directory, file.name), 'x');
    files.commit([file], full, 1);
    files.tidy();
  };
  const onDisk = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.blocks'));
  const manifest = () => {
    const state = readManifest(directory);
    if (state.kind !== 'read') throw new Error(state.why);
    return state.manifest;
  };
  return { directory, files, checkpoint, onDisk, manifest };
}

const names = (...numbers: number[]): string[] => numbers.map((n) => `0000000${n}.blocks`);

it('a full checkpoint replaces all files when old data is deleted', () => {
  const { files, checkpoint, onDisk } = fileSet(undefined, 100);
  checkpoint(50, 150);
  checkpoint(150, 250);
  files.freed(200);
  checkpoint(200, 300, true);
  expect(onDisk()).toEqual(names(3));
  expect(files.archives).toBe(false);
});

it('a full checkpoint keeps files with what memory has given up and the archive has not', () => {
  const { files, checkpoint, onDisk, manifest } = fileSet(100, 100);
  checkpoint(50, 150);
  checkpoint(150, 250);
  checkpoint(250, 350);
  files.freed(200);
  checkpoint(200, 400, true);
  // The third has nothing from before 200.
  expect(onDisk()).toEqual(names(1, 2, 4));
  expect(manifest().files.map(({ name }) => name)).toEqual(names(4));
  expect(manifest().kept?.map(({ name, until }) => [name, until])).toEqual(names(1, 2).map((name) => [name, 200]));
  // Archived to 160: the first ends before, the second does not.
  expect(files.drop(160)).toBe(1);
  expect(onDisk()).toEqual(names(2, 4));
  // Archived to where memory began then: nobody needs it any more, although it ends later.
  expect(files.drop(200)).toBe(1);
  expect(onDisk()).toEqual(names(4));
  expect(manifest().kept).toBeUndefined();
});

it('files are not joined while some of them wait for the archive, unless there are very many', () => {
  const { files, checkpoint } = fileSet(100, 100);
  for (let n = 0; n < 24; n++) checkpoint(100 + n, 101 + n);
  expect(files.wantJoining).toBe(true);
  files.freed(110);
  expect(files.wantJoining).toBe(false);
  files.drop(110);
  for (let n = 0; n < 10; n++) checkpoint(124 + n, 125 + n);
  expect(files.wantJoining).toBe(true);
  files.freed(120);
  for (let n = 0; n < 256; n++) checkpoint(200 + n, 201 + n);
  expect(files.wantJoining).toBe(true);
});

it('removes nothing while files are pinned, and never the file that is being written', () => {
  const { directory, files, checkpoint, onDisk } = fileSet(undefined, 0);
  checkpoint(0, 10);
  files.pin();
  checkpoint(10, 20, true);
  expect(onDisk()).toEqual(names(1, 2));
  const writing = files.takeName();
  writeFileSync(join(directory, writing), 'x');
  files.unpin();
  expect(onDisk()).toEqual(names(2, 3));
});

it('damaged files are set aside once a checkpoint is the current one, not before', () => {
  const { directory, files, checkpoint } = fileSet(undefined, 0, ['00000009.blocks', '00000001.log']);
  expect(existsSync(join(directory, '00000009.blocks'))).toBe(true);
  files.unpin();
  expect(existsSync(join(directory, '00000009.blocks'))).toBe(true);
  checkpoint(0, 10, true);
  expect(existsSync(join(directory, '00000009.blocks'))).toBe(false);
  expect(readFileSync(join(directory, '00000009.blocks.corrupt'), 'utf8')).toBe('damaged');
  expect(readFileSync(join(directory, '00000001.log.corrupt'), 'utf8')).toBe('damaged');
});
