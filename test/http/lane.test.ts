import { expect, it } from 'vitest';
import { Lane } from '../../src/http/lane.js';

it('so many tasks at once, the others in order, whatever becomes of them', async () => {
  const lane = new Lane(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const tasks = [0, 1, 2, 3].map((i) =>
    lane.run(async () => {
      begun.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 1) throw new Error('failed');
      return i;
    }),
  );
  const settled = Promise.allSettled(tasks);
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await expect(tasks[1]).rejects.toThrow('failed');
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  expect(await tasks[0]).toBe(0);
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  await settled;
  // All places are free again.
  expect(await Promise.all([lane.run(async () => 4), lane.run(async () => 5)])).toEqual([4, 5]);
});
