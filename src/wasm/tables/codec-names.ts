import { Codec } from './codecs.js';

const names: Record<Codec, string> = {
  [Codec.Constant]: 'constant',
  [Codec.Sparse]: 'sparse',
  [Codec.Runs]: 'runs',
  [Codec.DecimalFrame]: 'decimal-frame',
  [Codec.DecimalDelta]: 'decimal-delta',
  [Codec.BitsFrame]: 'bits-frame',
  [Codec.BitsDelta]: 'bits-delta',
  [Codec.Split]: 'split',
  [Codec.Raw]: 'raw',
};

/** Names of the codecs, indexed by `Codec`; for /metrics and the cluster summary. Apart from the enum because AssemblyScript compiles that file. */
export const codecNames: readonly string[] = Object.values(names);
