import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeReferenceFile } from '../../src/export/describe-reference.js';
import { DATA, Scratch } from './reference-data.js';

const scratch = new Scratch();

async function describeFile(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of describeReferenceFile(path)) lines.push(line);
  return lines;
}

it('describes a binary checkpoint', async () => {
  const path = join(DATA, 'wal/disk/d01/1699999980.bin');
  expect(await describeFile(path)).toEqual([
    `${path}: binary checkpoint in the reference's format, 10351 bytes`,
    'cluster disk, host d01 (from the names of the directories)',
    'window: 1699999980 (2023-11-14T22:13:00Z) to 1700023980 (2023-11-15T04:53:00Z)',
    expect.stringMatching(/^7 series of 5 metrics on 6 levels, \d+ samples, \d+ bins missing$/),
    expect.stringMatching(/^ {2}acc_power: 1 series, every 60 s, 400 samples from 1699999980 .* to 1700023920/),
    '  cpu_load: 1 series, every 60 s, 400 samples from 1699999980 (2023-11-14T22:13:00Z) to 1700023920 (2023-11-15T04:52:00Z), values 1 to 9',
    expect.stringMatching(/^ {2}flops_any: 3 series/),
    expect.stringMatching(/^ {2}mem_bw: 1 series/),
    expect.stringMatching(/^ {2}net_bytes_in: 1 series, every 60 s, 100 samples/),
    expect.stringMatching(/^whole/),
  ]);
});

it('describes a JSON checkpoint, and where it is damaged', async () => {
  const path = join(DATA, 'json/disk/d02/1700023980.json');
  const lines = await describeFile(path);
  expect(lines[0]).toContain('JSON checkpoint');
  expect(lines.at(-1)).toMatch(/^whole/);
  const bytes = readFileSync(path).subarray(0, 9000);
  const cut = await describeFile(scratch.write('disk/d02/1700023980.json.corrupt', bytes));
  expect(cut.at(-1)).toMatch(/^damaged at byte \d+: .*; listed is what comes before$/);
  expect(cut.length).toBeGreaterThan(3);
});

it('describes a log, and where it is torn', async () => {
  const whole = await describeFile(join(DATA, 'killed/disk/d01/current.wal'));
  expect(whole[2]).toBe('7 series of 5 metrics on 6 levels, 4258 samples');
  expect(whole.at(-1)).toBe('whole: every checksum holds');
  const torn = await describeFile(join(DATA, 'torn/disk/d01/current.wal'));
  expect(torn[2]).toBe('7 series of 5 metrics on 6 levels, 4257 samples');
  expect(torn.filter((line) => line.startsWith('damaged at byte'))).toHaveLength(1);
});

it('says so when a file is none of the reference', async () => {
  expect(await describeFile(scratch.write('c/h/5.bin', 'something else'))).toEqual([
    expect.stringContaining('14 bytes, not a file of the reference'),
  ]);
  await expect(describeFile(join(scratch.path, 'absent'))).rejects.toThrow('ENOENT');
});
