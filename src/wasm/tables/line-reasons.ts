/** What is wrong with a refused line, for people. Apart from the codes because AssemblyScript compiles that file. */
import { LineError } from './codes.js';

export const lineReasons: Record<LineError, string> = {
  [LineError.None]: 'nothing is wrong',
  [LineError.NoMetric]: 'no metric: a line starts with the name of its metric',
  [LineError.BadTag]: 'bad tag: expected ,key=value with a key and a value',
  [LineError.NoFields]: 'no field: expected " value=<number>" after the tags',
  [LineError.UnknownField]: 'unknown field: expected one field, "value"',
  [LineError.BadValue]: 'bad value: expected a number such as 1.5, 3i or 4u',
  [LineError.OutOfRange]: 'value out of range: expected a finite double, an int64 or a uint64',
  [LineError.UnsupportedType]: 'unsupported type: strings and booleans are no samples',
  [LineError.BadTimestamp]: 'bad timestamp: expected unix time in s, ms, us or ns',
  [LineError.NegativeTimestamp]: 'negative timestamp',
  [LineError.Garbage]: 'garbage after the timestamp',
  [LineError.NoCluster]: 'no cluster: neither a "cluster" tag nor ?cluster= names one',
  [LineError.NoHost]: 'no host: expected a tag "hostname" or "host"',
  [LineError.UnsafeName]:
    'unsafe name: "..", "/", "\\" and control characters must not be in cluster, host, type or stype',
  [LineError.NameTooLong]: 'name too long: cluster, host and levels have at most 255 bytes',
  [LineError.TimestampTooFar]: "timestamp too far from the series' first sample",
  [LineError.TimestampTooNew]: "timestamp more than future-limit after the server's clock",
  [LineError.TimestampTooOld]: 'timestamp older than twice the retention',
  [LineError.OutOfMemory]: 'out of memory',
  [LineError.UnknownTag]:
    'unknown tag: expected a rule for it in influx.tags of the configuration, or null there to ignore it',
  [LineError.BadTagValue]:
    'bad value of a tag: expected the beginning that its rule in influx.tags cuts off, and an id behind it',
  [LineError.TooManyLevels]: 'too many tags make levels by influx.tags: expected two at most',
  [LineError.TooManyFields]: 'too many fields: expected 1024 of configured metrics at most',
};
