/**
 * The tree keeps type and id of a level as one name (`hwthread7`). Where the type ends is decided by a rule, so that labels are
 * the same after a restart and for files of others; assembly/read/level-name.ts has the same one.
 */

/** The first of these that a level's name begins with is its type, if something follows. */
const TYPES = ['memoryDomain', 'accelerator', 'hwthread', 'socket', 'core', 'cpu', 'die', 'llc'];

/**
 * Type and id of the name of a level; joined they are the name again.
 * @param listed whether the known types come first: for levels, not for sub-levels.
 */
export function splitLevel(name: string, listed: boolean): readonly [type: string, id: string] {
  const known = listed ? TYPES.find((type) => name.startsWith(type) && name.length > type.length) : undefined;
  const digit = name.search(/[0-9]/);
  const end = known?.length ?? (digit > 0 ? digit : name.length);
  return [name.slice(0, end), name.slice(end)];
}
