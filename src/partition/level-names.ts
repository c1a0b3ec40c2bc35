/** Lists the names at one depth of the tree, in steps between the worker's other work. */

import { type Jobs, SERIES_PER_STEP } from '../base/jobs.js';
import type { Reads } from '../wasm/reads.js';

export interface LevelNames {
  /** Each once, in the order of the series. */
  names: string[];
}

export async function listLevelNames(reads: Reads, jobs: Jobs, depth: number): Promise<LevelNames> {
  const names = new Set<string>();
  let from = 0;
  await jobs.run(() => {
    const { next, names: found } = reads.levelNamesStep(from, SERIES_PER_STEP, depth);
    for (const name of found) names.add(name);
    from = next;
    return next >= 0;
  });
  return { names: [...names] };
}
