/** The configuration as the server understood it, in words. */
import { formatSpan } from '../time/times.js';
import { formatBytes } from '../values/numbers.js';

/** Of GET /api/config. */
export interface StoreSettings {
  retentionSeconds: number;
  memoryCapBytes: number;
  checkpoints: { fileFormat: string; directory: string; maxWalSize?: number };
  checkpointIntervalSeconds: number;
  numWorkers: number;
  cleanup: { mode: string; directory?: string };
  natsSubscriptions: { subject: string; clusterTag: string; stream?: string; durable?: string }[];
  walSync: string;
  maxBodySize: number;
}

export interface MainSettings {
  host: string;
  port: number;
  tls: boolean;
  token: boolean;
  backendUrl: string | null;
}

/** Keys as the configuration file has them, and what they mean. */
export function settingsOf(main: MainSettings, store: StoreSettings): [key: string, text: string][] {
  const { checkpoints, cleanup } = store;
  return [
    ['main.addr', `${main.host === '' ? '*' : main.host}:${main.port}, ${main.tls ? 'TLS' : 'without TLS'}`],
    [
      'main.jwt-public-key',
      main.token ? 'a token is asked for' : 'none: everybody who reaches the port may ask and write',
    ],
    ['main.backend-url', main.backendUrl ?? 'none: hosts of running jobs are not spared'],
    ['retention-in-memory', formatSpan(store.retentionSeconds)],
    ['memory-cap', store.memoryCapBytes === 0 ? 'none' : formatBytes(store.memoryCapBytes)],
    ['checkpoints', `${checkpoints.fileFormat} in ${checkpoints.directory}`],
    ['checkpoint-interval', formatSpan(store.checkpointIntervalSeconds)],
    ['wal-sync', store.walSync],
    ['cleanup', cleanup.mode === 'delete' ? 'old samples are deleted' : `old samples go to ${cleanup.directory ?? ''}`],
    ['num-workers', store.numWorkers === 0 ? 'none: all on the main thread' : String(store.numWorkers)],
    ['max-body-size', formatBytes(store.maxBodySize)],
    ...store.natsSubscriptions.map(({ subject, clusterTag, stream, durable }): [string, string] => [
      `subscribe ${subject}`,
      [clusterTag && `cluster ${clusterTag}`, stream && `stream ${stream}`, durable && `durable ${durable}`]
        .filter(Boolean)
        .join(', '),
    ]),
  ];
}
