import { expect, it } from 'vitest';
import { Lane, LaneFull } from '../../src/base/lane.js';

/** A task that runs until it is ended. */
class Task {
  began = false;
  end: () => void = () => {};
  fail: (error: Error) => void = () => {};

  run = (): Promise<void> => {
    this.began = true;
    return new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  };
}

/** What follows from promises that are settled has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('runs so many tasks at once, the others in the order in which they came', async () => {
  const lane = new Lane(2);
  const tasks = Array.from({ length: 4 }, () => new Task());
  const runs = tasks.map((task) => lane.run(task.run));
  const begun = (): boolean[] => tasks.map(({ began }) => began);
  expect(begun()).toEqual([true, true, false, false]);
  tasks[1]?.end();
  await settled();
  expect(begun()).toEqual([true, true, true, false]);
  tasks[0]?.fail(new Error('broken'));
  await expect(runs[0]).rejects.toThrow('broken');
  await settled();
  expect(begun()).toEqual([true, true, true, true]);
  for (const task of tasks) task.end();
  await Promise.all(runs.slice(1));
  const next = new Task();
  const run = lane.run(next.run);
  expect(next.began).toBe(true);
  next.end();
  await run;
});

it('sends away whoever finds no room to wait, and takes others again later', async () => {
  const lane = new Lane(1, 1);
  const [running, waiting, refused] = [new Task(), new Task(), new Task()];
  const first = lane.run(running.run);
  const second = lane.run(waiting.run);
  const third = lane.run(refused.run).catch((error: unknown) => error);
  running.end();
  await first;
  await settled();
  waiting.end();
  await second;
  await settled();
  expect(refused.began).toBe(false);
  expect(await third).toBeInstanceOf(LaneFull);
  const again = lane.run(refused.run);
  expect(refused.began).toBe(true);
  refused.end();
  await again;
});
