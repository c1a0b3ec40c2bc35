/** What was written during a load is stored in its order, however long one write takes. */
import { expect, it } from 'vitest';
import { logger } from '../../src/base/log.js';
import { Buffers } from '../../src/store/buffers.js';
import { EarlyWrites } from '../../src/store/early-writes.js';
import { configWith } from '../support/config.js';
import { coreModule } from '../support/core-driver.js';
import { temporaryDirectory } from '../support/directories.js';

it('stores one write after the other, and the same one again until it is taken', async () => {
  const { store: config } = configWith({
    checkpoints: { fileFormat: 'wal', directory: temporaryDirectory() },
  });
  const metrics = new Map([['m', { frequency: 60, aggregation: 'sum', precision: 'double' } as const]]);
  const buffers = new Buffers();
  const early = new EarlyWrites({
    module: coreModule(),
    metrics,
    tagRules: [],
    partitions: 2,
    config,
    buffers,
    log: logger('test'),
  });
  early.open();
  for (let value = 0; value < 3; value++) {
    const text = Buffer.from(`m,cluster=c,hostname=h value=${value}\n`);
    const body = buffers.take(text.length);
    new Uint8Array(body).set(text);
    await early.take({ body, length: text.length, cluster: '', perSecond: 0, fields: 'value' });
  }
  const seen: string[] = [];
  let refusals = 1;
  const applied = await early.apply(async ({ body, length }) => {
    const value = /value=(\d)/.exec(Buffer.from(body, 0, length).toString())?.[1];
    seen.push(`begin ${value}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (value === '1' && refusals-- > 0) throw new Error('the disk is full');
    seen.push(`end ${value}`);
    return { stored: 1, skipped: 0, refused: 0, refusals: [] };
  });
  expect(applied).toBe(3);
  expect(seen).toEqual(['begin 0', 'end 0', 'begin 1', 'begin 1', 'end 1', 'begin 2', 'end 2']);
});
