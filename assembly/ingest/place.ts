/** Where the line belongs whose tags were parsed last: to which cluster, which partition, which node of the tree. */
import { CHECKS_ONLY, LineError } from '../../src/wasm/tables/codes';
import { Node } from '../series/records';
import { partitionOf } from '../series/partition';
import { nodeEnsure, root } from '../series/tree';
import { MAX_NAME, cluster, host, level, nameIsSafe, sublevel } from '../text/line';
import { source } from './batch';
import { clock, noteFault } from './clock';
import { runs } from './runs';

@unmanaged
class Place {
  /** The line's cluster: of its tag, or its batch's. */
  clusterAt: usize;
  clusterLength: i32;
  /** This partition among all: lines of others' hosts are not stored but noted as runs (runs.ts). CHECKS_ONLY: all are others'. */
  self: u32;
  partitions: u32;
  /** Partition of the host of the line that was claimed last. */
  owner: u32;
}

const place = changetype<Place>(memory.data(offsetof<Place>(), 8));
place.partitions = 1;

/** Says which hosts are this core's (none: CHECKS_ONLY); once, before anything is stored. */
export function setPartition(index: i32, count: i32): void {
  place.self = <u32>index;
  place.partitions = <u32>count;
}

/** Lines are not stored here, all of them are others'. */
export function isChecksOnly(): bool {
  return place.self == <u32>CHECKS_ONLY;
}

/** The partition that the line belongs to which `claimLine` was asked about last. */
export function ownerOfClaimed(): u32 {
  return place.owner;
}

/** Finds the cluster of the line, before anything else is asked here. @returns LineError. */
export function findCluster(): i32 {
  place.clusterAt = cluster.text;
  place.clusterLength = cluster.length;
  if (cluster.length) return LineError.None;
  place.clusterAt = source.clusterName;
  place.clusterLength = source.clusterLength;
  if (!place.clusterLength) return LineError.NoCluster;
  if (place.clusterLength > MAX_NAME) return LineError.NameTooLong;
  return nameIsSafe(place.clusterAt, place.clusterLength) ? LineError.None : LineError.UnsafeName;
}

function ownerOfLine(): u32 {
  return partitionOf(place.clusterAt, place.clusterLength, host.text, host.length, place.partitions);
}

/** Whether the line is this partition's. */
export function isOwnLine(): bool {
  return ownerOfLine() == place.self;
}

/** What `claimLine` says of a line of another partition's host. */
export const STRAYED: i32 = -1;

/**
 * Finds whose the line from p to `stop` is. @param line its number, from 1.
 * @returns None: this partition's; STRAYED: another's, noted as a run; else a LineError.
 */
export function claimLine(p: usize, stop: usize, line: i32): i32 {
  const owner = ownerOfLine();
  place.owner = owner;
  if (owner == place.self) return LineError.None;
  const offset = <u32>(p - source.text);
  return runs.add(owner, offset, <u32>(stop - p) + 1, line - 1, 1) ? STRAYED : LineError.OutOfMemory;
}

/** The node of a line of this partition, made when missing. Null when memory is exhausted. */
export function nodeOfLine(): Node | null {
  let node = nodeEnsure(root, place.clusterAt, place.clusterLength);
  if (node) node = nodeEnsure(node, host.text, host.length);
  if (node && level.length) node = nodeEnsure(node, level.text, level.length);
  if (node && sublevel.length) node = nodeEnsure(node, sublevel.text, sublevel.length);
  return node;
}

/** Notes the host of the line, because its time is at fault. @returns whether the line is refused. */
export function isFaultRefused(fault: i32, seconds: i64): bool {
  noteFault(fault, seconds, place.clusterAt, place.clusterLength, host.text, host.length);
  return clock.isTrusted;
}
