/** The image of the Dockerfile, in the long mode only: its first build fetches a Debian and takes minutes. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const LIMIT = 1_200_000;

it.runIf(process.env.CCMS_LONG === '1')(
  'builds an image that serves as uid 10001, and keeps its data',
  { timeout: LIMIT },
  () => {
    const run = spawnSync('bash', ['scripts/container-test.sh'], { encoding: 'utf8', timeout: LIMIT });
    expect(run.status, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toContain('container-test: passed');
  },
);
