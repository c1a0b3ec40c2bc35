/** The unit of what an expression comes to. */
import { type Unit, unitOf } from '../values/units.js';

/** What keeps the unit of its argument. Products, rates and counts have another one, which is not worked out. */
const CHANGES =
  /[*/^%]|\b(rate|irate|increase|deriv|delta|count\w*|group|stdvar\w*|bool|log\w*|ln|exp|sqrt|absent\w*|changes|resets|time\w*)\b/;
const WORDS = /[a-zA-Z_:][a-zA-Z0-9_:]*/g;
const NUMBER: Unit = { name: '', factor: 1, scales: true, small: true };

/** That of the metrics that the expressions name, if it is the same for all and stays; else none. */
export function unitOfExpression(
  expressions: readonly string[],
  metrics: readonly string[],
  ofMetric: (name: string) => Unit = unitOf,
): Unit {
  const text = expressions.join('\n').replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  if (CHANGES.test(text)) return NUMBER;
  const words = new Set(text.match(WORDS) ?? []);
  const units = metrics.filter((name) => words.has(name)).map((name) => ofMetric(name));
  const [first] = units;
  return first !== undefined && units.every((unit) => JSON.stringify(unit) === JSON.stringify(first)) ? first : NUMBER;
}
