import { afterEach, describe, expect, it } from 'vitest';
import { logger } from '../../src/base/log.js';
import { Pool } from '../../src/store/pool.js';
import { configWith } from '../support/config.js';
import { temporaryDirectory } from '../support/directories.js';
import { smallCore } from '../support/small-core.js';

const TIME = 1_700_000_000;
const NOBODY = new Map();

let pool: Pool | undefined;
afterEach(() => pool?.stop());

describe('Store.retain', () => {
  it('spares the hosts of its own pass although another pass ends in between', async () => {
    const config = configWith({
      retentionSeconds: 1e9,
      checkpoints: { fileFormat: 'wal', directory: temporaryDirectory() },
    });
    pool = new Pool({
      config: { ...config, metrics: new Map([['m', { frequency: 1, aggregation: null, precision: 'double' }]]) },
      log: logger('store'),
      modulePath: smallCore(256),
      onFatal: (error) => expect.fail(error.message),
    });
    await pool.start();
    // More series than a pass looks at in one step; "kept" is the last.
    const hosts = [...Array.from({ length: 7000 }, (_, i) => `h${i}`), 'kept'];
    const text = new TextEncoder().encode(hosts.map((host) => `m,hostname=${host} value=1 ${TIME}\n`).join(''));
    expect((await pool.write(text.slice().buffer, text.length, 'c', 's')).stored).toBe(7001);
    const freed = await Promise.all([
      pool.retain(TIME - 100, NOBODY),
      pool.retain(TIME + 100, new Map([['c', new Set(['kept'])]])),
    ]);
    expect(freed).toEqual([0, 7000]);
    expect(await pool.summary()).toMatchObject([{ cluster: 'c', hosts: 1, series: 1 }]);
    expect(await pool.retain(TIME + 100, NOBODY)).toBe(1);
    expect(await pool.summary()).toEqual([]);
  });
});
