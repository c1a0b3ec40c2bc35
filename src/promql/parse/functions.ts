/** The functions of PromQL: names, types of arguments and results. What they compute is in `../evaluate`. */

import type { ValueType } from './value-type.js';

export interface FunctionSignature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** How often the last argument may be left out or repeated: 0 never, n up to n times, -1 any number of times. */
  readonly variadic: number;
  readonly returns: ValueType;
}

const table = new Map<string, FunctionSignature>();

function define(names: string, args: readonly ValueType[], returns: ValueType = 'vector', variadic = 0): void {
  for (const name of names.split(' ')) table.set(name, { name, args, variadic, returns });
}

define('abs ceil floor exp ln log2 log10 sqrt sgn deg rad', ['vector']);
define('sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh', ['vector']);
define('round', ['vector', 'scalar'], 'vector', 1);
define('clamp', ['vector', 'scalar', 'scalar']);
define('clamp_min clamp_max', ['vector', 'scalar']);

define('avg_over_time min_over_time max_over_time sum_over_time count_over_time', ['matrix']);
define('last_over_time first_over_time present_over_time absent_over_time mad_over_time', ['matrix']);
define('stddev_over_time stdvar_over_time', ['matrix']);
define('ts_of_min_over_time ts_of_max_over_time ts_of_first_over_time ts_of_last_over_time', ['matrix']);
define('rate increase delta irate idelta deriv changes resets', ['matrix']);
define('quantile_over_time', ['scalar', 'matrix']);
define('predict_linear', ['matrix', 'scalar']);
define('double_exponential_smoothing', ['matrix', 'scalar', 'scalar']);

define('time pi start end range step', [], 'scalar');
define('timestamp start_timestamp', ['vector']);
define('day_of_month day_of_week day_of_year days_in_month', ['vector'], 'vector', 1);
define('hour minute month year', ['vector'], 'vector', 1);

define('absent sort sort_desc', ['vector']);
define('scalar', ['vector'], 'scalar');
define('vector', ['scalar']);
define('label_replace', ['vector', 'string', 'string', 'string', 'string']);
define('label_join', ['vector', 'string', 'string', 'string'], 'vector', -1);
define('sort_by_label sort_by_label_desc', ['vector', 'string'], 'vector', -1);
define('histogram_quantile', ['scalar', 'vector']);
define('histogram_quantiles', ['vector', 'string', 'scalar', 'scalar'], 'vector', 9);
define('histogram_fraction', ['scalar', 'scalar', 'vector']);
// Of native histograms: there are none here, so these find nothing.
define('histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar', ['vector']);

/** Functions by their name, which is in lower case. */
export const functions: ReadonlyMap<string, FunctionSignature> = table;
