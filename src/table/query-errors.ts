/** Why an entry of a query has no values, in the words that the JSON answer has for it (assembly/answer/cc-json.ts). */
import { type ColumnError, QueryError } from '../store/store.js';

export function errorText({ error, given, limit }: ColumnError, metric: string): string {
  switch (error) {
    case QueryError.UnknownMetric:
      return `unknown metric: ${metric}`;
    case QueryError.FromAfterTo:
      return "invalid time range: 'from' is after 'to'";
    case QueryError.NoAggregation:
      return 'invalid aggregation: several series, but the aggregation of the metric is null';
    case QueryError.BadResolution:
      return `new sampling frequency (${given}) must be a multiple of old frequency (${limit})`;
    case QueryError.TooLong:
      return `range too long: ${given} samples, at most ${limit} are answered at once`;
    default:
      throw new Error(`BUG: no text for the error ${error} of a column`);
  }
}
