import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { noteProcess, predecessorOf } from '../../src/cluster/members/predecessor.js';
import { temporaryDirectory } from '../support/directories.js';

it('the last process of a directory is known there, but not in a copy, after another boot, or from a file that makes no sense', () => {
  const root = temporaryDirectory();
  expect(predecessorOf(root)).toBeUndefined();
  noteProcess(root, 'first');
  noteProcess(root, 'second');
  expect(predecessorOf(root)).toBe('second');
  const copy = temporaryDirectory();
  cpSync(root, copy, { recursive: true });
  expect(predecessorOf(copy)).toBeUndefined();
  const file = join(root, 'cluster-process.json');
  const { boot } = JSON.parse(readFileSync(file, 'utf8')) as { boot: string };
  writeFileSync(file, readFileSync(file, 'utf8').replace(boot, 'another'));
  expect(predecessorOf(root)).toBeUndefined();
  writeFileSync(file, '{');
  expect(predecessorOf(root)).toBeUndefined();
});
