import { describe, expect, it } from 'vitest';
import { Batcher } from '../../src/nats/batcher.js';
import { newNatsState } from '../../src/nats/state.js';
import type { WriteOutcome } from '../../src/store/store.js';
import { KeptLog } from '../support/kept-log.js';
import { LIMIT } from '../support/limits.js';

/** The bodies that messages pushed at once are joined to. */
async function bodiesOf(messages: string[]): Promise<string[]> {
  const bodies: string[] = [];
  const store = {
    takeBuffer: (bytes: number): ArrayBuffer => new ArrayBuffer(bytes),
    async write(body: ArrayBuffer, length: number): Promise<WriteOutcome> {
      bodies.push(Buffer.from(body, 0, length).toString());
      return { stored: 0, skipped: 0, refused: 0, refusals: [] };
    },
  };
  const log = new KeptLog();
  const limits = { maxBufferedBytes: 1 << 20, batchBytes: 1 << 16, lingerMs: 1 };
  const logs = { dropped: log, badLines: log, store: log };
  const batcher = new Batcher({ subject: 'hpc', clusterTag: 'alpha' }, store, newNatsState(), limits, logs);
  for (const message of messages) batcher.push(Buffer.from(message));
  await batcher.drain(Date.now() + LIMIT);
  return bodies;
}

describe('messages of one subject', () => {
  it('are joined, each ending its line', async () => {
    expect(await bodiesOf(['a value=1', 'b value="x\\"y"\n', 'c value=3'])).toEqual([
      'a value=1\nb value="x\\"y"\nc value=3\n',
    ]);
  });

  it('end their batch with a string that is never closed, for it would swallow the next message', async () => {
    expect(await bodiesOf(['a value=1', 'b value="open', 'c value="closed"', 'd value=4'])).toEqual([
      'a value=1\nb value="open\n',
      'c value="closed"\nd value=4\n',
    ]);
  });
});
