/**
 * A partition's files, copied from a store that holds it to one that is to hold it. The holder makes a checkpoint and keeps its
 * files; the other fetches them into a directory beside, which becomes the partition's when all is there and synced. The stream
 * has what came since.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest, writeManifest } from '../../persistence/checkpoint/manifest.js';
import { syncDirectory, writeAll } from '../../persistence/files.js';
import { isCheckpointName, MANIFEST } from '../../persistence/layout.js';
import { partitionDirectory } from '../../persistence/partition-directories.js';
import { isPosition, type Position, writePosition } from '../../persistence/stream-position.js';
import type { PartitionClient } from '../../store/client.js';
import type { Peer } from '../peers/peer.js';

/** What a partition's directory is called until all of it is there. */
const INCOMING = '.incoming';
/** A holder keeps the files that long for whoever copies them. */
const LEASE_MS = 600_000;

/** What is to be fetched. */
interface Snapshot {
  /** The last message that the files hold for sure. */
  position: Position;
  /** The manifest's text. */
  manifest: string;
  files: { name: string; bytes: number }[];
}

/**
 * Makes a checkpoint to be copied, whose files stay for ten minutes.
 * @param position of the copy now. @param directory of the partition.
 */
export async function takeSnapshot(
  partition: number,
  client: PartitionClient,
  position: Position,
  directory: string,
): Promise<Snapshot> {
  await client.call(partition, 'pinFiles', {});
  setTimeout(() => void client.call(partition, 'unpinFiles', {}).catch(() => {}), LEASE_MS).unref();
  await client.call(partition, 'checkpoint', { trigger: 'snapshot' });
  const manifest = await readFile(join(directory, MANIFEST), 'utf8');
  const { files } = JSON.parse(manifest) as { files: { name: string; bytes: number }[] };
  return { position, manifest, files: files.map(({ name, bytes }) => ({ name, bytes })) };
}

/** Removes what an interrupted copy has left. */
export function removeIncoming(root: string, partition: number, partitions: number): void {
  rmSync(partitionDirectory(root, partition, partitions) + INCOMING, { recursive: true, force: true });
}

/** Fetches a partition's files into a directory beside its own; durable when this resolves. @returns bytes fetched. */
export async function fetchSnapshot(root: string, partition: number, partitions: number, peer: Peer): Promise<number> {
  const incoming = partitionDirectory(root, partition, partitions) + INCOMING;
  const { position, manifest, files } = checked(await peer.snapshot(partition));
  removeIncoming(root, partition, partitions);
  mkdirSync(incoming, { recursive: true });
  let fetched = 0;
  for (const { name, bytes } of files) {
    const length = await fetchFile(peer, partition, name, join(incoming, name));
    if (length < bytes) throw new Error(`${name} of partition ${partition} has ${length} bytes, expected ${bytes}`);
    fetched += length;
  }
  writeFileSync(join(incoming, MANIFEST), manifest);
  const state = readManifest(incoming);
  if (state.kind === 'damaged') throw new Error(`the manifest of partition ${partition}: ${state.why}`);
  // The holder's log stays there: what it has is in the stream, and is not missing here.
  const { lastSegment: _, ...rest } = state.manifest;
  writeManifest(incoming, rest);
  writePosition(incoming, position);
  return fetched;
}

/** What was fetched becomes the partition's directory, which must not be there. */
export function installSnapshot(root: string, partition: number, partitions: number): void {
  const directory = partitionDirectory(root, partition, partitions);
  if (existsSync(directory)) throw new Error(`BUG: ${directory} is there already`);
  renameSync(directory + INCOMING, directory);
  syncDirectory(root);
}

async function fetchFile(peer: Peer, partition: number, name: string, path: string): Promise<number> {
  const response = await peer.file(partition, name);
  const fd = openSync(path, 'w');
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      writeAll(fd, chunk);
      length += chunk.length;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return length;
}

/** What another store has sent decides file names here. @throws Error when it makes no sense. */
function checked(value: unknown): Snapshot {
  const { position, manifest, files } = (value ?? {}) as Partial<Snapshot>;
  const isGood =
    isPosition(position) &&
    typeof manifest === 'string' &&
    Array.isArray(files) &&
    files.every(({ name, bytes }) => typeof name === 'string' && isCheckpointName(name) && Number.isSafeInteger(bytes));
  if (!isGood) throw new Error('a snapshot that makes no sense');
  return { position, manifest, files };
}
