/** Names of the codecs, indexed by `Codec`; for /metrics and the cluster summary. Apart from the enum because AssemblyScript compiles that file. */
export const codecNames: readonly string[] = [
  'constant',
  'sparse',
  'runs',
  'decimal-frame',
  'decimal-delta',
  'bits-frame',
  'bits-delta',
  'split',
  'raw',
];
