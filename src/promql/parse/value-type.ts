/** The four types of PromQL's values. */

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

/** The types as Prometheus's documentation and messages call them. */
export const typeNames: Record<ValueType, string> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};
