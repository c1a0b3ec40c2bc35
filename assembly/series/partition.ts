/** Which partition a host belongs to: every instance of the core gives the same answer, in every process. */

/**
 * FNV-1a over cluster, 0, host, finished with a mixer so that the low bits are good; modulo the number of partitions.
 * Unkeyed on purpose: files are found by it after a restart. A skewed choice of names costs balance, nothing else.
 */
export function partitionOf(cluster: usize, clusterLength: i32, host: usize, hostLength: i32, partitions: u32): u32 {
  let h = fold(0x811c9dc5, cluster, clusterLength);
  h = h * 0x01000193;
  h = fold(h, host, hostLength);
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  return h % partitions;
}

function fold(h: u32, p: usize, n: i32): u32 {
  for (let i = 0; i < n; i++) h = (h ^ <u32>load<u8>(p + i)) * 0x01000193;
  return h;
}
