/** A small server's config; `main` and `store` are added to it. */
export function config(main: object = {}, store: object = {}): object {
  return {
    main,
    metrics: {
      cpu_load: { frequency: 60, aggregation: 'avg' },
      mem_used: { frequency: 60, aggregation: 'sum' },
    },
    'metric-store': {
      'retention-in-memory': '48h',
      'memory-cap': 1,
      'num-workers': 2,
      checkpoints: { directory: './var/checkpoints' },
      ...store,
    },
  };
}

/** Unix seconds of samples that no retention pass takes away. */
export const TIME = Math.floor(Date.now() / 60_000) * 60 - 3600;
