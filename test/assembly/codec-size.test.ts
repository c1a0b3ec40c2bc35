import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadClasses, Random } from './codec-data.js';
import { type CodecModule, loadCodecModule } from './codec-module.js';

let m: CodecModule;
beforeAll(async () => {
  m = await loadCodecModule();
});

/** Bytes of all blocks of `bins` bins of a series (the last one may be shorter). */
function sealedBytes(values: Float64Array, bins: number): number {
  let bytes = 0;
  for (let i = 0; i < values.length; i += bins) {
    const part = values.subarray(i, i + bins);
    m.f64.set(part, m.base / 8);
    bytes += m.x.encodeBlock(m.base, part.length, m.base + 8192);
  }
  return bytes;
}

/** Bytes a sample over the load generator's mix of a 72-thread node, block headers included. */
function loadMixSize(bins: number): number {
  const samples = 2048;
  const series = 12;
  const r = new Random(7);
  let weighted = 0;
  let weights = 0;
  for (const { series: weight, make } of loadClasses) {
    let bytes = 0;
    for (let s = 0; s < series; s++) bytes += sealedBytes(make(samples, r), bins);
    weighted += (bytes / (series * samples)) * weight;
    weights += weight;
  }
  return weighted / weights;
}

/** Every fifth series of a real collector's log: 192 intervals of 5 s of a quiet 2-CPU node. */
const real = JSON.parse(readFileSync(new URL('../data/codec-real.json', import.meta.url), 'utf8')) as {
  series: string;
  values: number[];
}[];

function realSize(bins: number): number {
  let bytes = 0;
  let samples = 0;
  for (const { values } of real) {
    bytes += sealedBytes(Float64Array.from(values), bins);
    samples += values.length;
  }
  return bytes / samples;
}

describe('sealed size', () => {
  it('of the load mix is within 4.9 bytes a sample in blocks of 128', () => {
    expect(loadMixSize(128)).toBeLessThan(4.9);
  });

  it('of the load mix is within 4.62 bytes a sample in blocks of 512', () => {
    expect(loadMixSize(512)).toBeLessThan(4.62);
  });

  it('of real data is within 1.55 bytes a sample in blocks of 96 and 192', () => {
    expect(realSize(96)).toBeLessThan(1.55);
    expect(realSize(192)).toBeLessThan(1.5);
  });
});
