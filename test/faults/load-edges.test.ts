import { describe, expect, it } from 'vitest';
import type { Core } from '../../src/wasm/core.js';
import { FrameMagic } from '../../src/wasm/tables/codes.js';
import {
  checkpoint,
  line,
  metrics,
  newCore,
  restart,
  samples,
  scan,
  store,
  T0,
  takeLog,
} from '../support/core-driver.js';

const ONE = metrics(['m', 60]);

/** Bins 0 to n - 1 of a series, bin k holding k + 0.1. */
function run(host: string, n: number): string {
  return Array.from({ length: n }, (_, k) => line('m', host, T0 + 60 * k, k + 0.1)).join('');
}

/** Bytes of sealed blocks, and how many of them there are by codec. */
function blocks(core: Core): unknown {
  core.figures.countBegin();
  for (let from = 0; from >= 0; ) from = core.figures.countStep(from, 100);
  return [core.figures.memory.sealedBlocks, core.figures.counted.blocks];
}

describe('loading', () => {
  it('a log that writes again into the newest bins of a checkpoint, however full its open block was', () => {
    for (let n = 60; n <= 400; n++) {
      const core = restart(newCore(ONE), []);
      store(core, run('h', n));
      const file = checkpoint(core, false);
      core.writes.logStartSegment();
      takeLog(core);
      store(core, line('m', 'h', T0 + 60 * (n - 3), -1) + line('m', 'h', T0 + 60 * n, -2) + run('h', 2));
      const expected = samples(core);
      expect(samples(restart(newCore(ONE), [file], [takeLog(core)])), `${n} bins`).toEqual(expected);
    }
  });

  it('what one file left open and the next goes on with comes back as the blocks that it was, and grows on as it would have', () => {
    for (let first = 10; first <= 400; first += 13) {
      const core = restart(newCore(ONE), []);
      const files: Uint8Array[] = [];
      const add = (from: number, n: number, into: Core): void => {
        for (let k = from; k < from + n; k++) store(into, line('m', 'h', T0 + 60 * k, Math.sqrt(k)));
      };
      add(0, first, core);
      files.push(checkpoint(core, false));
      add(first, 40, core);
      files.push(checkpoint(core, false));
      add(first + 40, 1, core);
      files.push(checkpoint(core, false));
      const loaded = restart(newCore(ONE), files);
      for (const grown of [0, 600]) {
        add(first + 41, grown, core);
        add(first + 41, grown, loaded);
        expect(samples(loaded), `${first} bins`).toEqual(samples(core));
        expect(blocks(loaded), `${first} bins, ${grown} more`).toEqual(blocks(core));
      }
    }
  });

  it('leaves no host behind whose metrics left the config, or whose samples are too old', () => {
    const core = restart(newCore(metrics(['m', 60], ['gone', 60])), []);
    store(core, line('gone', 'a', T0, 1) + line('m', 'b', T0, 1) + line('m', 'c', T0 + 86_400, 1));
    const log = takeLog(core);
    for (const [files, segments] of [
      [[checkpoint(core, true)], []],
      [[], [log]],
    ] as const) {
      const loaded = restart(newCore(ONE), [...files], [...segments], T0 + 3600);
      expect([loaded.figures.hosts, loaded.figures.series]).toEqual([1, 1]);
      expect([...samples(loaded).keys()]).toEqual([`m c ${T0 + 86_400}`]);
    }
  });

  it('keeps the bins that a sample made which is too old to be loaded', () => {
    const core = restart(newCore(ONE), []);
    store(core, line('m', 'h', T0, 1) + line('m', 'h', T0 + 3600 + 29, 2) + line('m', 'h', T0 + 3600 + 31, 3));
    const expected = samples(core);
    expected.delete(`m h ${T0}`);
    expect(expected.size).toBe(2);
    expect(samples(restart(newCore(ONE), [], [takeLog(core)], T0 + 1800))).toEqual(expected);
  });

  it('a series that began far away, and anew when that had been freed', () => {
    const config = metrics(['m', 1]);
    const core = restart(newCore(config), []);
    store(core, line('m', 'h', 5, 1));
    core.writes.retainStep(0, 10, T0);
    store(core, line('m', 'h', T0, 2));
    const log = takeLog(core);
    expect(samples(restart(newCore(config), [], [log], T0 - 3600))).toEqual(new Map([[`m h ${T0}`, 2]]));
  });

  it('a series of more blocks than fit into 16 bits', () => {
    const config = metrics(['m', 1]);
    const core = restart(newCore(config), []);
    const lines: string[] = [];
    for (let k = 0; k < 70_000; k++) lines.push(line('m', 'h', T0 + 600 * k, k));
    store(core, lines.join(''));
    takeLog(core);
    const loaded = restart(newCore(config), [checkpoint(core, true)]);
    loaded.figures.countBegin();
    expect(loaded.figures.countStep(0, 10)).toBe(-1);
    expect(loaded.figures.counted.samples).toBe(70_000);
    expect(loaded.series.exportRun(0, T0 + 600 * 69_999, T0 + 600 * 70_000)?.values).toEqual(Float64Array.of(69_999));
  });

  it('a frame that claims more bytes than the file has costs no memory and hides nothing behind it', () => {
    const core = restart(newCore(ONE), []);
    const frames: Uint8Array[] = [];
    for (let k = 0; k < 200; k++) {
      store(core, line('m', 'h', T0 + 60 * k, k + 0.1));
      frames.push(takeLog(core));
    }
    const log = Buffer.concat(frames);
    const at = frames.slice(0, 100).reduce((sum, frame) => sum + frame.length, 0);
    log.writeUInt32LE(200 << 20, at + 4);
    const loaded = newCore(ONE);
    const before = loaded.figures.linearMemory;
    const gaps = scan(loaded, FrameMagic.Log, log, (p, n) => loaded.files.replayFrame(p, n, 0));
    expect(gaps.reduce((sum, [, length]) => sum + length, 0)).toBe(frames[100]?.length);
    expect(gaps[0]?.[0]).toBe(at);
    expect(loaded.figures.linearMemory - before).toBeLessThan(2 << 20);
    loaded.files.loadEnd();
    expect(samples(loaded).size).toBe(199);
  });

  it('a checkpoint is no log', () => {
    const core = restart(newCore(ONE), []);
    store(core, run('h', 10));
    const log = takeLog(core);
    expect(scan(newCore(ONE), FrameMagic.Checkpoint, log, () => expect.unreachable())).not.toEqual([]);
  });
});

describe('a number', () => {
  it('of a series that is gone names no other within a segment, so that a lost definition never gives its samples away', () => {
    const core = restart(newCore(ONE), []);
    const frames: Uint8Array[] = [];
    const frame = (text: string): number => {
      store(core, text);
      return frames.push(takeLog(core)) - 1;
    };
    frame(line('m', 'gone', T0, 1) + line('m', 'stays', T0 + 86_400, 1));
    core.writes.retainStep(0, 10, T0 + 3600);
    const definition = frame(line('m', 'new', T0 + 86_400, 2));
    frame(line('m', 'new', T0 + 86_460, 3));
    const damaged = Uint8Array.from(frames[definition] ?? []);
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    frames[definition] = damaged;
    const loaded = newCore(ONE);
    let unnamed = 0;
    scan(loaded, FrameMagic.Log, Buffer.concat(frames), (p, n) => {
      unnamed += loaded.files.replayFrame(p, n, 0).unnamed;
    });
    loaded.files.loadEnd();
    expect(unnamed).toBe(1);
    expect(samples(loaded)).toEqual(
      new Map([
        [`m gone ${T0}`, 1],
        [`m stays ${T0 + 86_400}`, 1],
      ]),
    );
    // In the next segment the number is free.
    core.writes.logStartSegment();
    store(core, line('m', 'another', T0 + 86_400, 4));
    expect(core.series.end).toBe(3);
  });
});
