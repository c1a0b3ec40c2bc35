/** Around the tests of every file: no process and no directory stays, and a failed test shows what its processes wrote. */
import { afterAll, afterEach, beforeEach, inject } from 'vitest';
import { removeDirectories } from './directories.js';
import { forgetEnded, killAll, logs, startedUntilNow } from './processes.js';
import { unmountDisks } from './small-disk.js';

const run = inject('run');
// Whatever is started from here on carries this: reaper.js knows it by it.
process.env.CCMS_TEST_RUN = run;
process.env.TMPDIR = run;
// Without vitest there is nobody to report to.
process.once('disconnect', () => process.exit(1));

let before = startedUntilNow();

beforeEach(() => {
  before = startedUntilNow();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    const written = logs();
    if (written) console.error(`what the processes of "${task.name}" wrote:\n${written}`);
    await killAll(before);
  }
  forgetEnded();
});

afterAll(async () => {
  await killAll();
  unmountDisks();
  removeDirectories();
});
