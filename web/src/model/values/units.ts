/**
 * The unit of a metric: what the server says, else what the metric's name means to cc-metric-collector and cc-backend.
 *
 * A unit is a prefix and a base: `MB/s` is 1e6 B/s, and 90000 of it are shown as 90 GB/s.
 */
export interface Unit {
  /** Without prefix: `B/s`, `FLOP/s`, `W`, `%`; empty: a bare number. */
  name: string;
  /** A value times this is in the base unit. */
  factor: number;
  /** Takes prefixes (k, M, G, ...). */
  scales: boolean;
  /** Takes those below one (m, µ) as well. */
  small: boolean;
}

const PREFIXES: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, m: 1e-3 };

/** Base units as collectors spell them, in lower case, and as they are shown. */
const BASES: Readonly<Record<string, string>> = {
  b: 'B',
  byte: 'B',
  bytes: 'B',
  'b/s': 'B/s',
  'bytes/s': 'B/s',
  'byte/s': 'B/s',
  'bytes/sec': 'B/s',
  'flops/s': 'FLOP/s',
  'flop/s': 'FLOP/s',
  'f/s': 'FLOP/s',
  flops: 'FLOP/s',
  w: 'W',
  watt: 'W',
  watts: 'W',
  j: 'J',
  joule: 'J',
  hz: 'Hz',
  s: 's',
  'packets/s': 'packets/s',
  'packets/sec': 'packets/s',
  'requests/s': 'requests/s',
  'reads/s': 'reads/s',
  packets: 'packets',
  requests: 'requests',
};

const PERCENT: Unit = { name: '%', factor: 1, scales: false, small: false };
const CELSIUS: Unit = { name: '°C', factor: 1, scales: false, small: false };
/** A bare number of ordinary size: a load, instructions a cycle. */
const PLAIN: Unit = { name: '', factor: 1, scales: false, small: false };
const COUNT: Unit = { name: '', factor: 1, scales: true, small: false };

/** Reads a unit as a configuration or a collector's tag has it. Undefined: it says nothing (empty). */
export function parseUnit(text: string): Unit | undefined {
  const given = text.trim();
  if (given === '') return undefined;
  const lower = given.toLowerCase();
  if (lower === 'percent' || lower === '%' || lower === 'percentage') return PERCENT;
  if (lower === 'degc' || lower === 'celsius' || lower === '°c' || lower === 'degree c') return CELSIUS;
  if (lower === 'load' || lower === 'ipc' || lower === 'cpi' || lower === 'ratio') return PLAIN;
  const whole = BASES[lower];
  if (whole !== undefined) return scaling(whole, 1);
  const factor = PREFIXES[given.charAt(0)];
  const base = BASES[lower.slice(1)];
  if (factor !== undefined && base !== undefined) return scaling(base, factor);
  // Somebody's own unit: shown as it is.
  return { name: given, factor: 1, scales: false, small: false };
}

function scaling(name: string, factor: number): Unit {
  return { name, factor, scales: true, small: name === 'W' || name === 's' || name === 'J' };
}

/** Names as the collectors of ClusterCockpit give them; the first that fits counts. */
const CONVENTIONS: readonly [RegExp, string][] = [
  [/^cpu_load|^load_|^ipc$|^cpi$|vectorization_ratio$/, 'load'],
  [/(^|_)(util|utilization|usage)(_|$)|^cpu_(user|system|idle|iowait|irq|nice|softirq|steal)$|percent/, 'percent'],
  [/_power$|^power(_|$)|_watts$/, 'W'],
  [/energy/, 'J'],
  [/_temp$|^temp_|temperature/, 'degC'],
  [/^flops_/, 'MFlops/s'],
  [/^(acc_)?(clock|.*_clock)$|^cpufreq/, 'MHz'],
  [/^mem_bw|^mem_bandwidth/, 'MB/s'],
  [/^(net|ib|file|lustre|nfs4?|disk)_bw$|_bw$|bytes.*_bw/, 'MB/s'],
  [/_pkts|_packets/, 'packets'],
  [/^mem_(used|free|total|cached|buffers|available|shared|sreclaimable|slab)|^swap_|^acc_mem_used/, 'kB'],
  [/bytes|^ib_(recv|xmit)$/, 'bytes'],
];

/**
 * @param given the server's word for it; empty or absent: it has none.
 */
export function unitOf(metric: string, given?: string): Unit {
  const said = given === undefined ? undefined : parseUnit(given);
  if (said !== undefined) return said;
  for (const [pattern, text] of CONVENTIONS) if (pattern.test(metric)) return parseUnit(text) ?? COUNT;
  return COUNT;
}
