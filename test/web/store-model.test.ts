/** What the view of the store works out of the server's figures. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/simulate/random.js';
import { byCluster, byMetric, type Contents, codecsText } from '../../web/src/model/store/contents.js';
import { groupsOf, layoutMemoryMap } from '../../web/src/model/store/memory-map.js';
import { powerFailureCost, safetyOf } from '../../web/src/model/store/safety.js';
import { settingsOf } from '../../web/src/model/store/settings.js';
import { layoutTreemap } from '../../web/src/model/store/treemap.js';

const part = (cluster: string, metric: string, level: string, bytes: number): Contents => ({
  cluster,
  metric,
  level,
  series: 1,
  samples: bytes / 2,
  bytes,
  blocks: { split: 2, single: 1 },
});

const CONTENTS = [
  part('alex', 'flops_any', 'hwthread', 600),
  part('alex', 'cpu_load', '', 100),
  part('fritz', 'flops_any', 'hwthread', 200),
  part('fritz', 'flops_any', 'socket', 50),
];

describe('contents', () => {
  it('adds up metrics and their levels over clusters, the largest first', () => {
    const [flops, load] = byMetric(CONTENTS, '');
    expect(flops).toMatchObject({ metric: 'flops_any', bytes: 850, series: 3 });
    expect(flops?.levels.map(({ level, bytes, samples }) => [level, bytes, samples])).toEqual([
      ['hwthread', 800, 400],
      ['socket', 50, 25],
    ]);
    expect(flops?.levels[0]?.blocks).toEqual({ split: 4, single: 2 });
    expect(load).toMatchObject({ metric: 'cpu_load', bytes: 100 });
    expect(byMetric(CONTENTS, 'fritz').map(({ metric, bytes }) => [metric, bytes])).toEqual([['flops_any', 250]]);
    expect(byCluster(CONTENTS).map(({ cluster, bytes }) => [cluster, bytes])).toEqual([
      ['alex', 700],
      ['fritz', 250],
    ]);
    // What was given stays as it was.
    expect(CONTENTS[0]).toEqual(part('alex', 'flops_any', 'hwthread', 600));
  });

  it('names the codecs, with shares where there are several', () => {
    expect(codecsText({})).toBe('open blocks only');
    expect(codecsText({ split: 7, single: 0 })).toBe('split');
    expect(codecsText({ single: 1, split: 299 })).toBe('split 100 %, single 1 %');
    expect(codecsText({ a: 1, b: 2, c: 1 }, 2)).toBe('b 50 %, a 25 %, …');
  });
});

describe('treemap', () => {
  const ROOM = { x: 10, y: 20, width: 600, height: 400 };

  it('fills the room with areas in proportion, without overlaps', () => {
    const random = seededRandom(3);
    const weights = Array.from({ length: 60 }, () => random() ** 3 * 1000);
    const placed = layoutTreemap(weights, (weight) => weight, ROOM);
    expect(placed).toHaveLength(60);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const { item, width, height } of placed) {
      expect((width * height) / (ROOM.width * ROOM.height)).toBeCloseTo(item / sum, 9);
    }
    for (const [i, a] of placed.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(ROOM.x - 1e-9);
      expect(a.y + a.height).toBeLessThanOrEqual(ROOM.y + ROOM.height + 1e-6);
      for (const b of placed.slice(i + 1)) {
        const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        expect(Math.min(wide, high)).toBeLessThan(1e-6);
      }
    }
  });

  it('has nearly square rectangles, as the example of Bruls, Huizing and van Wijk', () => {
    const placed = layoutTreemap([6, 6, 4, 3, 2, 2, 1], (weight) => weight, { x: 0, y: 0, width: 6, height: 4 });
    expect(placed[0]).toMatchObject({ x: 0, y: 0, width: 3, height: 2 });
    expect(placed[1]).toMatchObject({ x: 0, y: 2, width: 3, height: 2 });
    expect(placed[2]?.width).toBeCloseTo(12 / 7);
    expect(placed[2]?.height).toBeCloseTo(7 / 3);
  });

  it('leaves out what has no weight', () => {
    expect(layoutTreemap([0, -1], (weight) => weight, ROOM)).toEqual([]);
    expect(layoutTreemap([0, 5], (weight) => weight, ROOM)).toEqual([{ item: 5, ...ROOM }]);
  });

  it('writes names only where they fit, and cuts metrics into levels', () => {
    const metrics = byMetric(CONTENTS, '');
    const [flops, load] = layoutMemoryMap(metrics, 400, 200);
    expect(flops).toMatchObject({ metric: 'flops_any', name: 'flops_any', group: 'CPU' });
    expect(flops?.levels.map(({ text }) => text)).toEqual(['hwthread', '']);
    expect(load?.name).toBe('');
    // What is low has its name alone.
    expect(layoutMemoryMap(metrics.slice(1), 200, 22)[0]).toMatchObject({ name: 'cpu_load', levels: [{ text: '' }] });
    expect(groupsOf(metrics)).toEqual(['CPU']);
  });
});

describe('safety', () => {
  const log = { bytes: 10, segments: 1, writes: 5, syncs: 4, syncSeconds: 0.02, failed: null };
  const checkpoint = { last: 2000, seconds: 1, bytes: 100, count: 2 };

  it('takes all partitions as one: the oldest checkpoint counts, a reason is named once', () => {
    const safety = safetyOf([
      { log, checkpoint },
      { log: { ...log, failed: 'ENOSPC' }, checkpoint: { ...checkpoint, last: 1000 } },
      { log: { ...log, failed: 'ENOSPC' }, checkpoint },
    ]);
    expect(safety).toEqual({
      logBytes: 30,
      segments: 3,
      syncMs: 5,
      failures: ['ENOSPC'],
      oldestCheckpoint: 1000,
      checkpoints: 6,
      checkpointBytes: 300,
    });
  });

  it('says what a power failure would cost', () => {
    expect(powerFailureCost('always')).toContain('nothing');
    expect(powerFailureCost('interval')).toContain('last second');
    expect(powerFailureCost('off')).toContain('wal-sync is off');
  });
});

it('shows the configuration in words', () => {
  const settings = new Map(
    settingsOf(
      { host: '', port: 8082, tls: false, token: false, backendUrl: null },
      {
        retentionSeconds: 172_800,
        memoryCapBytes: 8e9,
        checkpoints: { fileFormat: 'wal', directory: './var' },
        checkpointIntervalSeconds: 43_200,
        numWorkers: 0,
        cleanup: { mode: 'archive', directory: './archive' },
        natsSubscriptions: [{ subject: 'hpc', clusterTag: 'alex', stream: 'METRICS' }],
        walSync: 'interval',
        maxBodySize: 64e6,
      },
    ),
  );
  expect(settings.get('main.addr')).toBe('*:8082, without TLS');
  expect(settings.get('retention-in-memory')).toBe('2 d');
  expect(settings.get('memory-cap')).toBe('8\u202fGB');
  expect(settings.get('cleanup')).toBe('old samples go to ./archive');
  expect(settings.get('subscribe hpc')).toBe('cluster alex, stream METRICS');
});
