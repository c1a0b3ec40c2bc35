/** The end of a series. */
import { blocksFree } from './blocks';
import { keysDrop } from './keys';
import { Series } from './records';
import { seriesForget } from './series';

/** Removes the series with all it holds, and nodes that became empty by it. Its address is dead afterwards. */
export function seriesRemove(s: Series): void {
  keysDrop(s);
  blocksFree(s);
  seriesForget(s);
}
