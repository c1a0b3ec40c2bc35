/** The names of the tree's levels, kept until nodes or series come or go. */

import type { Store } from '../../store/store.js';
import type { TreeNames } from './selection.js';

export class CachedTreeNames implements TreeNames {
  private changes: string | undefined;
  private readonly byDepth = new Map<number, Promise<readonly string[]>>();

  constructor(private readonly store: Pick<Store, 'levelNames' | 'treeChanges'>) {}

  async names(depth: number, isStrong: boolean): Promise<readonly string[]> {
    // Asked for before the names: a change in between makes them be read once more, never once too few.
    const changes = await this.store.treeChanges(isStrong);
    if (changes !== this.changes) {
      this.changes = changes;
      this.byDepth.clear();
    }
    let names = this.byDepth.get(depth);
    if (names === undefined) {
      names = this.store.levelNames(depth, isStrong);
      this.byDepth.set(depth, names);
      names.catch(() => this.byDepth.delete(depth));
    }
    return names;
  }
}
