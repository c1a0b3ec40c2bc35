import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { JobTimes } from '../../src/persistence/job-times.js';
import { temporaryDirectory } from '../support/directories.js';
import { KeptLog } from '../support/kept-log.js';

let root: string;
let path: string;
let log: KeptLog;
beforeEach(() => {
  root = temporaryDirectory();
  path = join(root, 'jobs.json');
  log = new KeptLog();
});

describe('when jobs ran last', () => {
  it('is known after a restart', () => {
    const before = new JobTimes(root, log);
    expect(before.last('cleanup')).toBeUndefined();
    before.done('cleanup', 1_700_000_000.7);
    expect(readFileSync(path, 'utf8')).toBe('{"version":1,"cleanup":1700000000}\n');
    before.done('retention', 1_700_000_100);
    before.done('cleanup', 1_700_000_200);
    const after = new JobTimes(root, log);
    expect([after.last('retention'), after.last('cleanup')]).toEqual([1_700_000_100, 1_700_000_200]);
    expect(log.lines).toEqual([]);
  });

  it.each(['', '{"version":', 'null', '7', '{"version":2,"cleanup":1}', '{"version":1,"cleanup":"now"}'])(
    'is unknown when the file holds %j, with a warning, and the file is made anew',
    (content) => {
      writeFileSync(path, content);
      const times = new JobTimes(root, log);
      expect(times.last('cleanup')).toBeUndefined();
      expect(log.lines).toEqual([expect.stringMatching(/^warn .*jobs.json: .*it is made anew/)]);
      times.done('cleanup', 5);
      expect(new JobTimes(root, log).last('cleanup')).toBe(5);
    },
  );

  it('is warned of when it can not be written, and known until the process ends', () => {
    mkdirSync(path);
    const times = new JobTimes(root, log);
    times.done('cleanup', 5);
    expect(times.last('cleanup')).toBe(5);
    expect(log.lines.at(-1)).toMatch(/^warn .*jobs.json: not written, the cleanup is repeated after a restart/);
  });
});
