/** Which streams are taken for lost. Real ones are lost in lost-stream.test.ts. */
import { ErrorCode, type JetStreamManager, type KV, NatsError } from 'nats';
import { describe, expect, it } from 'vitest';
import { ensureStreams, type Layout, STREAM_NOT_FOUND } from '../../src/cluster/streams.js';
import type { ClusterConfig } from '../../src/config/config.js';

const CONFIG = { name: 'hpc', partitions: 3, streamMaxBytes: 1000, streamReplicas: 3 } as ClusterConfig;
const nobody = (): void => {};
const LOG = { debug: nobody, info: nobody, warn: nobody, err: nobody, crit: nobody };

/** @param there streams that there are. @param listed those of them whose servers answer. */
function nats(there: readonly string[], listed: readonly string[]) {
  const added: string[] = [];
  const layout: Layout = { version: 1, identity: 'x', partitions: 3, replicas: 2, made: true, lost: {} };
  const infoOf = (name: string) => ({ config: { name, max_bytes: CONFIG.streamMaxBytes }, created: 'then' });
  const manager = {
    streams: {
      async *list() {
        yield* listed.map(infoOf);
      },
      info: async (name: string) => {
        if (there.includes(name)) return infoOf(name);
        const error = new NatsError('stream not found', ErrorCode.JetStream404NoMessages);
        error.api_error = { code: 404, err_code: STREAM_NOT_FOUND, description: 'stream not found' };
        throw error;
      },
      add: async ({ name }: { name: string }) => {
        added.push(name);
        return { ...infoOf(name), created: 'now' };
      },
    },
  } as unknown as JetStreamManager;
  const bucket = {
    get: async () => ({ json: () => layout, revision: 1 }),
    update: async (_: string, text: string) => Object.assign(layout, JSON.parse(text)),
  } as unknown as KV;
  return { added, ensure: () => ensureStreams(manager, bucket, CONFIG, LOG) };
}

const ALL = ['CCMS_hpc_0', 'CCMS_hpc_1', 'CCMS_hpc_2'];

describe('a stream', () => {
  it('is not lost because a list of NATS lacks it, whose servers were silent', async () => {
    const { added, ensure } = nats(ALL, ['CCMS_hpc_0']);
    expect((await ensure()).lost).toEqual({});
    expect(added).toEqual([]);
  });

  it('that is not there is made, and the layout says that it was lost', async () => {
    const { added, ensure } = nats(['CCMS_hpc_0', 'CCMS_hpc_2'], ['CCMS_hpc_0']);
    expect((await ensure()).lost).toEqual({ 1: 'now' });
    expect(added).toEqual(['CCMS_hpc_1']);
  });
});
