/**
 * Files that lie in another partition's directory than the one they name (somebody has copied or restored them there). Before
 * anything is loaded each goes to where it belongs, and if there is a file of that name already, to `partition-0-of-0`: like
 * a directory of another number of partitions that is read by all, each taking its own hosts, and removed once their own
 * files hold it.
 *
 * A file without a header (of an older version, or damaged there) does not say whose it is. A partition that finds other
 * partitions' hosts in one leaves it to the next start under another name, and then it goes there too.
 */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from '../base/log.js';
import type { Core } from '../wasm/core.js';
import { readManifest } from './checkpoint/manifest.js';
import { readHeader, seemsToBeOf } from './file-header.js';
import { syncDirectory } from './files.js';
import { checkpointName, listCheckpoints, listForeign, listSegments, MANIFEST, segmentName } from './layout.js';
import { isShelter, partitionDirectories, partitionDirectory, shelterOf } from './partition-directories.js';

interface Owner {
  index: number;
  count: number;
}

interface MisplacedFile {
  path: string;
  kind: 'segment' | 'checkpoint' | 'manifest';
  /** Whose it is, and where it belongs. Undefined: it does not say, and holds hosts of several. */
  owner?: Owner;
  home?: string;
}

type Checker = () => Core;

/** Whose a file is, if it is not the directory's. */
function otherOwner(checker: Checker, path: string, { index, count }: Owner): (Owner & { number: number }) | undefined {
  const fd = openSync(path, 'r');
  try {
    const owner = seemsToBeOf(fd);
    if (!owner || (owner.index === index && owner.count === count)) return undefined;
    const header = readHeader(checker(), fd)?.header;
    return header && { index: header.partition, count: header.partitions, number: header.number };
  } finally {
    closeSync(fd);
  }
}

/** The files of a directory that belong to others. */
function* misplacedIn(checker: Checker, root: string, directory: Owner & { path: string }): Generator<MisplacedFile> {
  const { path: at, index, count } = directory;
  const homeOf = (owner: Owner): string => partitionDirectory(root, owner.index, owner.count);
  const files = [
    ...listCheckpoints(at).map(({ name }) => ({ name, kind: 'checkpoint' as const, nameOf: checkpointName })),
    ...listSegments(at).map(({ name }) => ({ name, kind: 'segment' as const, nameOf: segmentName })),
  ];
  for (const { name, kind, nameOf } of files) {
    const path = join(at, name);
    const owner = otherOwner(checker, path, directory);
    if (owner) yield { path, kind, owner, home: join(homeOf(owner), nameOf(owner.number)) };
  }
  for (const { name, kind } of listForeign(at)) yield { path: join(at, name), kind };
  const state = readManifest(at);
  const owner = state.kind === 'read' ? state.manifest.partition : undefined;
  if (!owner || (owner.index === index && owner.count === count)) return;
  yield { path: join(at, MANIFEST), kind: 'manifest', owner, home: join(homeOf(owner), MANIFEST) };
}

/** Moves such files. To be called before anything is loaded. @param checker makes any core. */
export function returnMisplaced(checker: Checker, root: string, log: Logger): void {
  const found = partitionDirectories(root)
    .filter(({ path }) => !isShelter(path))
    .flatMap((directory) => [...misplacedIn(checker, root, directory)]);
  if (!found.length) return;
  const shelter = shelterOf(root);
  mkdirSync(shelter, { recursive: true });
  let number = Math.max(0, ...[...listCheckpoints(shelter), ...listSegments(shelter)].map((file) => file.number));
  const nameOf = ({ kind }: MisplacedFile): string => {
    number++;
    if (kind === 'manifest') return `${MANIFEST}.${number}`;
    return kind === 'segment' ? segmentName(number) : checkpointName(number);
  };
  // All are taken away first: two that were swapped are in each other's way.
  const moved = found.map((file) => {
    const path = join(shelter, nameOf(file));
    renameSync(file.path, path);
    return { ...file, from: file.path, path };
  });
  for (const { from, path, kind, owner, home } of moved) {
    if (!owner || home === undefined) {
      log.warn(`${from}: its samples go to their partitions`);
      continue;
    }
    const whose = `${from}: is of partition ${owner.index} of ${owner.count}`;
    if (existsSync(dirname(home)) && !existsSync(home)) {
      renameSync(path, home);
      log.err(`${whose}; moved back to ${home}`);
    } else if (kind !== 'manifest')
      log.err(`${whose}, where a file of that name is; its samples go to their partitions`);
  }
  for (const { path } of partitionDirectories(root)) syncDirectory(path);
  if (!readdirSync(shelter).length) rmdirSync(shelter);
  syncDirectory(root);
}
